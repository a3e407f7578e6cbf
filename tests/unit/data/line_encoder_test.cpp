// A table line by line gives the numbers that the whole table gives.
#include "data/line_encoder.h"

#include <gtest/gtest.h>

#include "data/series_source.h"
#include "support/expect_error.h"
#include "support/specs.h"
#include "support/temporary_folder.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

using Lines = std::vector<std::string>;

/// A model that reads what the source has. Its layers don't matter here.
spec::ModelSpec model_for(const Source& source) {
  const spec::InputSpec input = source.input();
  const auto* series = std::get_if<spec::SeriesInput>(&input);
  const data::TargetSpec target = source.target();
  spec::ModelSpec model = test::recurrent_spec(
      {.input_size = series ? series->features : 4,
       .hidden_size = 3,
       .readout = target.every_step() ? spec::Readout::every_step : spec::Readout::last},
      target.size);
  if (!series)
    model.layers.insert(
        model.layers.begin(),
        spec::EmbeddingSpec{"embedding", std::get<spec::TokenInput>(input).tokens, 4});
  model.input = input;
  model.table = source.table();
  model.classes = target.names;
  return model;
}

struct LineEncoderTest : testing::Test {
  test::TemporaryFolder folder;

  /// The model of a training on the table.
  spec::ModelSpec trained(const std::string& text, SeriesSettings settings) const {
    folder.write("train.csv", text);
    settings.validate = settings.test = no_part;
    return model_for(*series_source(read_recordings(folder / "train.csv", settings)));
  }

  /// Expects of each line what the table of all lines gives; its series are in the order of names.
  void expect_same(const spec::ModelSpec& model, const Lines& lines) const {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    folder.write("new.csv", text);
    const SeriesSettings settings = settings_for(model, false);
    const auto source = series_source(
        read_recordings(folder / "new.csv", settings, Targets::optional, text_columns_of(model)),
        {.model = model});
    std::vector<double> whole;
    Lines names;
    for (std::int64_t i = 0; i < source->size(Split::test); ++i) {
      const Pick pick{i};
      Examples examples;
      source->batch(Split::test, {&pick, 1}, DType::f64, examples);
      if (examples.inputs.dtype() == DType::i64)
        for (const std::int64_t token : examples.inputs.values<std::int64_t>())
          whole.push_back(static_cast<double>(token));
      else
        for (const double value : examples.inputs.values<double>()) whole.push_back(value);
      names.push_back(source->names(Split::test)[static_cast<std::size_t>(i)]);
    }
    LineEncoder encoder(model, settings, "stdin");
    if (encoder.has_header()) encoder.set_header(lines[0]);
    std::vector<double> all, row;
    Lines starts;
    for (std::size_t i = encoder.has_header() ? 1 : 0; i < lines.size(); ++i) {
      if (lines[i].empty()) {
        encoder.end_series();
        continue;
      }
      encoder.encode(lines[i], static_cast<std::int64_t>(i + 1), row);
      all.insert(all.end(), row.begin(), row.end());
      if (encoder.starts_series()) starts.push_back(encoder.series());
    }
    EXPECT_EQ(all, whole);
    EXPECT_EQ(starts, names);
  }
};

const std::string kEncodedTable =
    "id,x,side,y,kind\n"
    "a,1,left,5,up\na,2,right,,up\na,3,left,6,up\n"
    "b,4,right,7,down\nb,,left,8,down\n";

SeriesSettings classify(Missing missing) {
  SeriesSettings settings;
  settings.task = Task::classify;
  settings.target = {"kind"};
  settings.series = "id";
  settings.missing = missing;
  return settings;
}

TEST_F(LineEncoderTest, MissingValuesAreFilledAsInTheTable) {
  const Lines lines = {"y,id,unknown,side,x", "5,a,?,left,1", ",a,q,right,2", ",a,,,",
                       "7,a,,left,",          "1,b,,up,",     ",b,3,,3"};
  for (const Missing missing : {Missing::mean, Missing::previous})
    expect_same(trained(kEncodedTable, classify(missing)), lines);
}

TEST_F(LineEncoderTest, TextsMayLookLikeNumbersInALine) {
  const std::string table = "id,x,kind\na,1,up\na,two,up\nb,1,down\nb,3,down\n";
  const Lines lines = {"id,x", "a,1", "a,two", "a,3", "b,3", "b,1"};
  expect_same(trained(table, classify(Missing::mean)), lines);
  expect_same(trained(table, classify(Missing::previous)), {"id,x", "a,two", "a,", "a,1", "a,"});
}

TEST_F(LineEncoderTest, OtherRowsDoNotDecideWhatATextIs) {
  const std::string table =
      "id,x,y,kind\na,FALSE,01,up\na,TRUE,1,up\nb,maybe,1.0,down\nb,TRUE,x,down\n";
  const spec::ModelSpec model = trained(table, classify(Missing::refuse));
  expect_same(model, {"id,x,y", "a,TRUE,1", "b,FALSE,01"});
  expect_same(model, {"id,x,y", "a,TRUE,1", "b,FALSE,1.0", "b,maybe,x"});
  LineEncoder encoder(model, settings_for(model, false), "stdin");
  encoder.set_header("id,x,y");
  std::vector<float> row;
  encoder.encode("a,TRUE,1", 2, row);  // FALSE, TRUE, maybe; 01, 1, 1.0, x
  EXPECT_EQ(row, (std::vector<float>{0, 1, 0, 0, 1, 0, 0}));
}

TEST_F(LineEncoderTest, TheFormOfTheTableIsTheModels) {
  SeriesSettings settings = classify(Missing::refuse);
  settings.no_header = true;
  settings.decimal = ",";
  settings.series = "1";
  settings.target = {"3"};
  const spec::ModelSpec model = trained("a;1,5;up\na;2;up\nb;3;down\n", settings);
  expect_same(model, {"a;4,5;up", "b;6;"});
  LineEncoder encoder(model, settings_for(model, false), "stdin");
  std::vector<float> row;
  encoder.encode("a;1,5;up", 12, row);
  EXPECT_EQ(test::error_of<FormatError>([&] { encoder.encode("a;\"1", 13, row); }).substr(0, 16),
            "[data] stdin:13:");
}

TEST_F(LineEncoderTest, WideTablesKeepColumnsThatAreNoSteps) {
  SeriesSettings settings;
  settings.task = Task::classify;
  settings.target = {"y"};
  settings.wide = true;
  settings.group = "who";
  settings.ignore = {"id"};
  const spec::ModelSpec model =
      trained("id,who,a,b,y\n1000,7,1,2,0\n1001,8,3,4,1\n1002,8,4,5,0\n", settings);
  expect_same(model, {"id,who,a,b,y", "1003,9,5,6,1"});
  LineEncoder encoder(model, settings_for(model, false), "stdin");
  std::vector<float> row;
  encoder.set_header("y,a,who,b,id");
  encoder.encode("1,5,9,6,1003", 2, row);
  EXPECT_EQ(row, (std::vector<float>{5, 6}));
  folder.write("one.csv", "b,a\n6,5\n");  // they may be missing
  EXPECT_EQ(read_recordings(folder / "one.csv", settings_for(model), Targets::optional).values,
            (std::vector<float>{6, 5}));
}

TEST_F(LineEncoderTest, AMissingColumnOfSeriesIsSaid) {
  const spec::ModelSpec model = trained(kEncodedTable, classify(Missing::mean));
  folder.write("new.csv", "run,x,side,y\n1,2,left,3\n2,3,left,4\n");
  const auto source = series_source(read_recordings(folder / "new.csv", settings_for(model, false),
                                                    Targets::optional, text_columns_of(model)),
                                    {.model = model});
  EXPECT_EQ(source->size(Split::test), 1);
  EXPECT_EQ(source->note(),
            "there is no column id, the --series of the training: all rows are one series");
}

TEST_F(LineEncoderTest, WordsEndWithAnEmptyLine) {
  SeriesSettings settings;
  settings.task = Task::label;
  settings.target = {"tag"};
  settings.words = "word";
  const spec::ModelSpec model =
      trained("word,tag\nthe,DET\ndog,NOUN\n\nthe,DET\ncat,NOUN\n", settings);
  expect_same(model, {"word,tag", "the,", "bird,NOUN", "", "cat,", "the,DET", "NA,"});
}

TEST_F(LineEncoderTest, ErrorsNameTheLine) {
  const spec::ModelSpec model = trained(kEncodedTable, classify(Missing::mean));
  LineEncoder encoder(model, settings_for(model, false), "stdin");
  encoder.set_header("id,x,side,y");
  std::vector<float> row;
  encoder.encode("a,1,left,2", 2, row);
  EXPECT_EQ(
      test::error_of<FormatError>([&] { encoder.encode("a,1,left", 1042, row); }),
      "[data] stdin:1042: the line has 3 fields, expected 4 as in the first line, separated by "
      "comma; add the missing ones");
  EXPECT_EQ(
      test::error_of<ValueError>([&] { encoder.encode("a,one,left,2", 1043, row); }),
      "[data] stdin:1043: column \"x\" has texts such as \"one\", but the model reads numbers "
      "there");
}

}  // namespace
}  // namespace unroll::data
