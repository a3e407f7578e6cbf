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
        read_recordings(folder / "new.csv", settings, Targets::optional), {.model = model});
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
    encoder.set_header(lines[0]);
    std::vector<double> all, row;
    Lines starts;
    for (std::size_t i = 1; i < lines.size(); ++i) {
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

const std::string kTable =
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
    expect_same(trained(kTable, classify(missing)), lines);
}

TEST_F(LineEncoderTest, TextsMayLookLikeNumbersInALine) {
  const std::string table = "id,x,kind\na,1,up\na,two,up\nb,1,down\nb,3,down\n";
  const Lines lines = {"id,x", "a,1", "a,two", "a,3", "b,3", "b,1"};
  expect_same(trained(table, classify(Missing::mean)), lines);
  expect_same(trained(table, classify(Missing::previous)), {"id,x", "a,two", "a,", "a,1", "a,"});
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
  const spec::ModelSpec model = trained(kTable, classify(Missing::mean));
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
