// Series of one's own as a source: parts, inputs, targets.
#include "data/series_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "data/split.h"
#include "support/expect_error.h"
#include "unit/data/made_up_series.h"
#include "unroll/core/error.h"
#include "unroll/core/threads.h"
#include "unroll/data/sequence_tasks.h"

namespace unroll::data {
namespace {

using test::error_of;

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
constexpr auto kTrain = Split::train, kTest = Split::test, kValidation = Split::validation;

Examples series_batch(const Source& source, Split part, const std::vector<Pick>& picks,
                      DType dtype = DType::f32) {
  Examples examples;
  source.batch(part, picks, dtype, examples);
  return examples;
}

/// All samples of a part in one batch.
Examples all_of(const Source& source, Split part) {
  std::vector<Pick> picks;
  for (std::int64_t i = 0; i < source.size(part); ++i) picks.push_back({i});
  return series_batch(source, part, picks);
}

/// Five series of different lengths with two columns of numbers and given parts: b, c, d are for
/// training, a for validation, e for testing.
Recordings five_series() {
  Recordings r;
  r.name = "five";
  r.files = {{"all", "five.csv", 12, "00ff"}};
  r.settings.task = Task::classify;
  r.settings.target = {"kind"};
  r.columns = {{"x"}, {"y"}};
  r.names = {"e", "d", "c", "b", "a"};
  r.lengths = {1, 2, 1, 3, 2};
  r.values = {100, -100,                // e
              1,   10,   2, 20,         // d
              3,   30,                  // c
              4,   40,   5, 50, 6, 60,  // b
              7,   70,   8, 80};        // a
  r.target_columns = {{"kind", {"10", "9", "7"}}};
  r.targets = {0, 0, 1, 0, 1};
  r.parts = {kTest, kTrain, kTrain, kTrain, kValidation};
  return r;
}

TEST(SeriesSource, DescribesItself) {
  const auto source = series_source(five_series());
  EXPECT_EQ(source->name(), "five");
  EXPECT_EQ(source->place(), "five.csv");
  EXPECT_EQ(source->size(kTrain), 3);
  EXPECT_EQ(source->size(kValidation), 1);
  EXPECT_EQ(source->size(kTest), 1);
  EXPECT_EQ(source->names(kTrain), (std::vector<std::string>{"b", "c", "d"}));
  EXPECT_EQ(
      std::vector<std::int64_t>(source->lengths(kTrain).begin(), source->lengths(kTrain).end()),
      (std::vector<std::int64_t>{3, 1, 2}));
  EXPECT_FALSE(source->tests_while_training());
  EXPECT_FALSE(source->augments());
  const TargetSpec target = source->target();
  EXPECT_EQ(target.kind, TargetSpec::Kind::classes);
  // In the order of numbers. 7 occurs nowhere.
  EXPECT_EQ(target.names, (std::vector<std::string>{"9", "10"}));
  EXPECT_TRUE(target.detailed);
  const auto input = std::get<spec::SeriesInput>(source->input());
  EXPECT_EQ(input.features, 2);
  EXPECT_EQ(input.steps, 0);
  EXPECT_EQ(input.names, (std::vector<std::string>{"x", "y"}));
  // numpy.mean and numpy.std of 1 to 6
  ASSERT_EQ(input.mean.size(), 2U);
  EXPECT_DOUBLE_EQ(input.mean[0], 3.5);
  EXPECT_DOUBLE_EQ(input.mean[1], 35);
  EXPECT_DOUBLE_EQ(input.std[0], 1.707825127659933);
  EXPECT_DOUBLE_EQ(input.std[1], 17.07825127659933);
  EXPECT_EQ(source->sizes_text(),
            "five train: 3 series of 1 to 3 steps of 2 numbers\n"
            "five validation: 1 series of 2 steps of 2 numbers\n"
            "five test: 1 series of 1 steps of 2 numbers\n");
  EXPECT_EQ(source->inferred(),
            "task: classify\n"
            "inputs: x, y\n"
            "target: kind, 2 classes: 9 (1), 10 (2); in brackets: training series\n"
            "parts: test auto, validation auto; split seed 0\n");
}

TEST(SeriesSource, PadsABatch) {
  const auto source = series_source(five_series());
  const Examples examples = series_batch(*source, kTrain, {{1}, {0}});
  EXPECT_EQ(examples.inputs.shape(), (Shape{2, 3, 2}));
  EXPECT_EQ(examples.inputs.to_vector(),
            (std::vector<double>{3, 30, 0, 0, 0, 0, 4, 40, 5, 50, 6, 60}));
  EXPECT_EQ(examples.targets.to_vector(), (std::vector<double>{0, 1}));
  EXPECT_EQ(examples.lengths, (std::vector<std::int64_t>{1, 3}));
  // Nothing is padded, so nothing needs lengths.
  EXPECT_TRUE(series_batch(*source, kTest, {{0}}, DType::f64).lengths.empty());
  EXPECT_EQ(all_of(*source, kTest).inputs.to_vector(), (std::vector<double>{100, -100}));
}

TEST(SeriesSource, TheTestPartChangesNothing) {
  Recordings other = five_series();
  other.values[0] = 3e38F;
  other.targets[0] = 1;
  const auto a = series_source(five_series()), b = series_source(other);
  EXPECT_EQ(a->input(), b->input());
  EXPECT_EQ(a->sha256(kTrain), b->sha256(kTrain));
  EXPECT_NE(a->sha256(kTest), b->sha256(kTest));
  const auto noise = series_source(five_series(), {.test_noise = 5});
  EXPECT_EQ(noise->input(), a->input());
  EXPECT_EQ(noise->sha256(kTrain), a->sha256(kTrain));
  EXPECT_EQ(noise->sha256(kValidation), a->sha256(kValidation));
  EXPECT_NE(noise->sha256(kTest), a->sha256(kTest));
  EXPECT_NE(noise->sha256(kTest), series_source(five_series(), {.test_noise = 6})->sha256(kTest));
}

TEST(SeriesSource, TrainsOnTheValidationPartToo) {
  const auto source = series_source(five_series());
  const auto both = source->with_validation();
  EXPECT_EQ(both->names(kTrain), (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(both->size(kValidation), 0);
  EXPECT_EQ(both->names(kTest), source->names(kTest));
  EXPECT_EQ(both->input(), source->input());
  EXPECT_EQ(both->with_validation(), nullptr);
  EXPECT_EQ(series_batch(*both, kTrain, {{0}}).inputs.to_vector(),
            (std::vector<double>{7, 70, 8, 80}));
}

TEST(SeriesSource, TheOrderOfSeriesHasNoInfluence) {
  const Recordings r = five_series();
  Recordings turned = r;
  turned.names = {"a", "b", "c", "d", "e"};
  turned.lengths = {2, 3, 1, 2, 1};
  turned.values = {7, 70, 8, 80, 4, 40, 5, 50, 6, 60, 3, 30, 1, 10, 2, 20, 100, -100};
  turned.target_columns = {{"kind", {"9", "10"}}};
  turned.targets = {0, 1, 0, 1, 1};
  turned.parts = {kValidation, kTrain, kTrain, kTrain, kTest};
  const auto a = series_source(r), b = series_source(turned);
  EXPECT_EQ(a->input(), b->input());
  EXPECT_EQ(a->facts(), b->facts());
  for (const Split part : {kTrain, kValidation, kTest}) {
    EXPECT_EQ(a->sha256(part), b->sha256(part));
    EXPECT_EQ(all_of(*a, part).inputs.to_vector(), all_of(*b, part).inputs.to_vector());
    EXPECT_EQ(all_of(*a, part).targets.to_vector(), all_of(*b, part).targets.to_vector());
  }
}

TEST(SeriesSource, ThreadsHaveNoInfluence) {
  const auto source = series_source(
      made_up_series({"a", "b", "c", "d", "e", "f", "g"}, {"x", "y", "x", "y", "x", "y", "x"}, 50));
  const int before = num_threads();
  set_num_threads(1);
  const auto one = all_of(*source, kTrain).inputs.to_vector();
  set_num_threads(5);
  EXPECT_EQ(all_of(*source, kTrain).inputs.to_vector(), one);
  set_num_threads(before);
}

TEST(SeriesSource, Facts) {
  const auto facts = nlohmann::json::parse(series_source(five_series())->facts());
  EXPECT_EQ(facts["reader_revision"], 1);
  EXPECT_EQ(facts["files"].dump(),
            R"([{"bytes":12,"path":"five.csv","role":"all","sha256":"00ff"}])");
  EXPECT_EQ(facts["split"]["train"]["series"], 3);
  EXPECT_EQ(facts["split"]["train"]["steps"], 6);
  // printf 'b\nc\nd\n' | sha256sum
  EXPECT_EQ(facts["split"]["train"]["units_sha256"],
            "b8c70a0f0510d71a511e8f41477969879f926c77ed4b341b5500238ed1e1348c");
}

TEST(SeriesSource, TextsAndMissingNumbers) {
  Recordings r = five_series();
  r.settings.missing = Missing::mean;
  r.columns[1] = {"side", {"right", "left", "up"}};
  r.values = {kMissing, 2,                            // e
              1,        0,        2,        1,        // d
              3,        kMissing,                     // c
              4,        0,        kMissing, 0, 6, 1,  // b
              kMissing, 1,        8,        0};       // a
  const auto mean = series_source(r);
  const auto input = std::get<spec::SeriesInput>(mean->input());
  EXPECT_EQ(input.names, (std::vector<std::string>{"x", "x missing", "side=left", "side=right",
                                                   "side missing"}));
  // numpy.mean([1, 2, 3, 4, 6]), numpy.std
  EXPECT_EQ(input.mean, (std::vector<double>{3.2, 0, 0, 0, 0}));
  EXPECT_DOUBLE_EQ(input.std[0], 1.7204650534085253);
  EXPECT_EQ(std::vector<double>(input.std.begin() + 1, input.std.end()),
            (std::vector<double>{1, 1, 1, 1}));
  const auto fill = static_cast<double>(3.2F);
  EXPECT_EQ(series_batch(*mean, kTrain, {{0}}).inputs.to_vector(),
            (std::vector<double>{4, 0, 0, 1, 0, fill, 1, 0, 1, 0, 6, 0, 1, 0, 0}));
  EXPECT_EQ(series_batch(*mean, kTrain, {{1}}).inputs.to_vector(),
            (std::vector<double>{3, 0, 0, 0, 1}));
  EXPECT_EQ(series_batch(*mean, kTest, {{0}}).inputs.to_vector(),
            (std::vector<double>{fill, 1, 0, 0, 0}));
  EXPECT_EQ(mean->note(),
            "values of side that are read as none of the texts of the training part: 1");
  EXPECT_EQ(mean->table()->columns, (std::vector<spec::ColumnSpec>{
                                        {"x", {}, true, 3.2}, {"side", {"left", "right"}, true}}));
  r.settings.missing = Missing::previous;
  const auto previous = series_source(r);
  EXPECT_EQ(series_batch(*previous, kTrain, {{0}}).inputs.to_vector(),
            (std::vector<double>{4, 0, 0, 1, 0, 4, 1, 0, 1, 0, 6, 0, 1, 0, 0}));
  // No value before the first step: the mean.
  EXPECT_EQ(series_batch(*previous, kValidation, {{0}}).inputs.to_vector(),
            (std::vector<double>{fill, 1, 1, 0, 0, 8, 0, 0, 1, 0}));
  // The window begins where the value is missing.
  r.settings.window = r.settings.stride = 1;
  const auto windows = series_source(r);
  EXPECT_EQ(series_batch(*windows, kTrain, {{1}}).inputs.to_vector(),
            (std::vector<double>{4, 1, 0, 1, 0}));
}

TEST(SeriesSource, Windows) {
  Recordings r = made_up_series({"a", "b", "c", "d"}, {"x", "y", "x", "y"}, 7);
  r.settings.window = 3;
  r.settings.stride = 2;
  r.settings.validate = "none";
  r.parts = {kTrain, kTrain, kTest, kTest};
  auto source = series_source(r);
  EXPECT_EQ(source->size(kTrain), 6);
  const auto series = source->series_of(kTrain);
  EXPECT_EQ(std::vector<std::int64_t>(series.begin(), series.end()),
            (std::vector<std::int64_t>{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(series_batch(*source, kTrain, {{1}, {5}}).inputs.to_vector(),
            (std::vector<double>{2, 3, 4, 14, 15, 16}));
  EXPECT_EQ(series_batch(*source, kTrain, {{1}, {5}}).targets.to_vector(),
            (std::vector<double>{0, 1}));
  EXPECT_EQ(source->note(), "");
  EXPECT_EQ(source->sizes_text(),
            "made-up train: 2 series, 6 windows of 3 steps of 1 number\n"
            "made-up test: 2 series, 6 windows of 3 steps of 1 number\n");
  r.settings.stride = 0;
  source = series_source(r);
  EXPECT_EQ(source->size(kTrain), 4);
  EXPECT_EQ(source->series_settings()->stride, 3);
  EXPECT_EQ(source->note(), "steps at the ends of series that fill no window and are left out: 4");
  // Series that are shorter than a window.
  r.settings.window = 8;
  source = series_source(r);
  EXPECT_EQ(source->size(kTrain), 2);
  EXPECT_EQ(source->lengths(kTrain)[0], 7);
}

TEST(SeriesSource, NumbersAsTargets) {
  Recordings r = five_series();
  r.settings.task = Task::regress;
  r.target_columns = {{"weight"}};
  r.targets = {1000, 1, 2, 6, 50};
  const auto source = series_source(r);
  const TargetSpec target = source->target();
  EXPECT_EQ(target.kind, TargetSpec::Kind::values);
  EXPECT_EQ(target.names, std::vector<std::string>{"weight"});
  EXPECT_EQ(target.mean, std::vector<double>{3});
  EXPECT_DOUBLE_EQ(target.std[0], 2.160246899469287);  // numpy.std([1, 2, 6])
  EXPECT_EQ(all_of(*source, kTrain).targets.to_vector(), (std::vector<double>{6, 2, 1}));
  r.settings.scale = Scale::none;
  EXPECT_TRUE(series_source(r)->target().mean.empty());
  EXPECT_FALSE(spec::has_scaling(series_source(r)->input()));
}

TEST(SeriesSource, StatisticsOfLogarithms) {
  Recordings r = five_series();
  r.settings.log = true;
  const auto source = series_source(r);
  const auto input = std::get<spec::SeriesInput>(source->input());
  // math.log1p of 1 to 6 in Python: their mean and standard deviation
  EXPECT_NEAR(input.mean[0], 1.4208602268442359, 1e-14);
  EXPECT_NEAR(input.std[0], 0.42493333257143195, 1e-14);
  EXPECT_TRUE(source->series_settings()->log);
}

/// Gaps of any length, at the start of the second series too.
TEST(SeriesSource, ThePreviousValueMayBeFarAway) {
  Recordings r = made_up_series({"a", "b", "c"}, {"p", "q", "p"}, 3000);
  std::ranges::fill(r.values, kMissing);
  for (const auto& [at, value] : {std::pair(2000, 5.0F), std::pair(3000 + 1500, 7.0F),
                                  std::pair(3000 + 1600, 8.0F), std::pair(3000 + 2999, 9.0F)})
    r.values[static_cast<std::size_t>(at)] = value;
  r.settings.test = r.settings.validate = "none";
  r.settings.missing = Missing::previous;
  r.settings.window = r.settings.stride = 1;
  const auto source = series_source(r);
  const auto value = [&](std::int64_t step) {
    return series_batch(*source, kTrain, {{step}}).inputs.to_vector()[0];
  };
  const double mean = (5.0 + 7 + 8 + 9) / 4;
  EXPECT_EQ(value(1999), mean);
  for (const std::int64_t step : {2000, 2001, 2048, 2999}) EXPECT_EQ(value(step), 5) << step;
  for (const std::int64_t step : {3000, 3072, 4499}) EXPECT_EQ(value(step), mean) << step;
  for (const std::int64_t step : {4500, 4599}) EXPECT_EQ(value(step), 7) << step;
  for (const std::int64_t step : {4600, 5119, 5120, 5998}) EXPECT_EQ(value(step), 8) << step;
  EXPECT_EQ(value(5999), 9);
  EXPECT_EQ(value(6000), mean);
  EXPECT_EQ(value(8999), mean);
}

TEST(SeriesSource, AConstantHasNoStandardDeviationAsALogarithmToo) {
  Recordings r = five_series();
  r.settings.log = true;
  for (std::size_t i = 0; i < r.values.size(); i += 2) r.values[i] = 20;
  EXPECT_EQ(std::get<spec::SeriesInput>(series_source(r)->input()).std[0], 1);
}

TEST(SeriesSource, ClassesAtEveryStep) {
  Recordings r = five_series();
  r.settings.task = Task::label;
  r.target_at_every_step = true;
  r.target_columns = {{"tag", {"N", "V"}}};
  r.targets = {0, 1, 0, 1, 0, kMissing, 1, 0, 1};
  r.settings.class_weights = ClassWeights::balanced;
  const auto source = series_source(r);
  const TargetSpec target = source->target();
  EXPECT_EQ(target.kind, TargetSpec::Kind::step_classes);
  // Training steps: N 2 times, V 3 times; 5 / (2 * 2), 5 / (2 * 3).
  EXPECT_EQ(target.class_weights, (std::vector<double>{1.25, 5.0 / 6}));
  EXPECT_EQ(all_of(*source, kTrain).targets.to_vector(),
            (std::vector<double>{0, no_target, 1, 1, no_target, no_target, 1, 0, no_target}));
}

TEST(SeriesSource, ARareClassOfTheValidationPartIsLeftOut) {
  Recordings r = five_series();
  r.settings.task = Task::label;
  r.target_at_every_step = true;
  r.target_columns = {{"tag", {"N", "V", "X"}}};
  r.targets = {0, 1, 0, 1, 0, 0, 1, 0, 2};
  const auto source = series_source(r);
  EXPECT_EQ(all_of(*source, kValidation).targets.to_vector(), (std::vector<double>{0, no_target}));
  EXPECT_EQ(source->note(),
            "the validation part has classes of tag that the training part lacks: X; steps with "
            "them are left out of loss and score");
  r.targets[0] = 2;
  EXPECT_EQ(error_of<ValueError>([&] { series_source(r); }),
            "[data] the test part has classes of \"tag\" that the training part lacks: X; choose "
            "other parts, or leave them out");
}

/// Sentences: "the dog", "the cat barks" and "dog" for training, "the cow" for testing.
Recordings sentences() {
  Recordings r;
  r.name = "sentences";
  r.settings.task = Task::label;
  r.settings.words = "word";
  r.settings.target = {"tag"};
  r.settings.validate = "none";
  r.columns = {{"word", {"cow", "barks", "cat", "dog", "the"}}};
  r.names = {"1", "2", "3", "4"};
  r.lengths = {2, 3, 1, 2};
  r.values = {4, 3, 4, 2, 1, 3, 4, 0};
  r.target_columns = {{"tag", {"D", "N", "V"}}};
  r.target_at_every_step = true;
  r.targets = {0, 1, 0, 1, 2, 1, 0, 1};
  r.parts = {kTrain, kTrain, kTrain, kTest};
  return r;
}

TEST(SeriesSource, Words) {
  const auto source = series_source(sentences());
  const auto input = std::get<spec::TokenInput>(source->input());
  // By frequency (dog and the: 2), then by bytes.
  EXPECT_EQ(input.vocabulary, (std::vector<std::string>{"<unk>", "dog", "the", "barks", "cat"}));
  EXPECT_EQ(input.tokens, 5);
  EXPECT_EQ(all_of(*source, kTrain).inputs.to_vector(),
            (std::vector<double>{2, 1, 0, 2, 4, 3, 1, 0, 0}));
  EXPECT_EQ(all_of(*source, kTest).inputs.to_vector(), (std::vector<double>{2, 0}));
  EXPECT_EQ(all_of(*source, kTest).inputs.dtype(), DType::i64);
  EXPECT_EQ(source->note(), "words of the test part that are read as <unk>: 1 of 2");
  EXPECT_EQ(source->sizes_text(),
            "sentences train: 3 series of 1 to 3 steps of a word\n"
            "sentences test: 1 series of 2 steps of a word\n");
  Recordings small = sentences();
  small.settings.vocabulary = 2;
  EXPECT_EQ(std::get<spec::TokenInput>(series_source(small)->input()).vocabulary,
            (std::vector<std::string>{"<unk>", "dog", "the"}));
}

TEST(SeriesSource, WordsThatOccurOnceAreSometimesUnknown) {
  const auto source = series_source(sentences());
  EXPECT_TRUE(source->augments());
  int unknown = 0;
  for (std::uint32_t draw = 1; draw <= 1000; ++draw) {
    const auto words = series_batch(*source, kTrain, {{1, draw}}).inputs.to_vector();
    EXPECT_EQ(words[0], 2);  // "the" occurs twice
    EXPECT_TRUE(words[1] == 4 || words[1] == 0);
    unknown += words[1] == 0;
  }
  EXPECT_NEAR(unknown, 500, 60);
  EXPECT_EQ(series_batch(*source, kTrain, {{1, 7}}).inputs.to_vector(),
            series_batch(*source, kTrain, {{1, 7}}).inputs.to_vector());
}

TEST(SeriesSource, NoiseUsesKnownWordsAndClasses) {
  const auto source = series_source(sentences(), {.test_noise = 1});
  EXPECT_EQ(source->input(), series_source(sentences())->input());
  const auto words = all_of(*source, kTest).inputs.to_vector();
  for (const double word : words) EXPECT_GT(word, 0);
}

TEST(SeriesSource, ForATrainedModel) {
  Recordings r = five_series();
  r.columns[1] = {"side", {"right", "left"}};
  r.values = {9, 0, 1, 0, 2, 1, 3, 0, 4, 1, 5, 0, 6, 1, 7, 0, 8, 1};
  const auto trained = series_source(r);
  spec::ModelSpec model;
  model.input = trained->input();
  model.layers = {spec::RecurrentSpec{.name = "rnn", .input_size = 3, .hidden_size = 2},
                  spec::LinearSpec{"fc", 2, 2}};
  model.classes = trained->target().names;
  model.table = trained->table();

  // Other columns, another order, and no target.
  Recordings now;
  now.name = "now";
  now.columns = {{"side", {"left", "down"}}, {"z"}, {"x"}};
  now.names = {"s"};
  now.lengths = {2};
  now.values = {0, 5, 1.5, 1, 5, 2.5};
  const auto source = series_source(now, {.model = model});
  EXPECT_EQ(source->size(kTest), 1);
  EXPECT_EQ(source->size(kTrain), 0);
  EXPECT_EQ(source->input(), trained->input());
  EXPECT_EQ(source->target().size, 0);
  const Examples examples = all_of(*source, kTest);
  EXPECT_EQ(examples.inputs.to_vector(), (std::vector<double>{1.5, 1, 0, 2.5, 0, 0}));
  EXPECT_FALSE(examples.targets.defined());

  now.target_columns = {{"kind", {"10"}}};
  now.targets = {0};
  EXPECT_EQ(all_of(*series_source(now, {.model = model}), kTest).targets.to_vector(),
            (std::vector<double>{1}));
  now.target_columns = {{"kind", {"11"}}};
  EXPECT_EQ(error_of<ValueError>([&] { series_source(now, {.model = model}); }),
            "[data] \"kind\" has classes that the model does not have: 11; it has 9, 10");
  now.columns[2].name = "X";
  EXPECT_EQ(error_of<ValueError>([&] { series_source(now, {.model = model}); }),
            "[data] now has no column \"x\", which the model reads; it has side, z, X");

  const SeriesSettings settings = settings_for(model);
  EXPECT_EQ(settings.task, Task::classify);
  EXPECT_EQ(settings.features, (std::vector<std::string>{"x", "side"}));
  EXPECT_EQ(settings.target, std::vector<std::string>{"kind"});
  EXPECT_TRUE(settings_for(model, false).target.empty());
  model.table.reset();
  EXPECT_EQ(error_of<ValueError>([&] { series_source(now, {.model = model}); }),
            "[data] the model was not trained on series, so it can't read now");
}

TEST(SeriesSource, CountsDuplicates) {
  Recordings r = five_series();
  r.values[0] = 3;
  r.values[1] = 30;  // e as c
  EXPECT_EQ(series_source(r)->note(),
            "test series that are in the training part too, value by value: 1");
}

// In Python, with all training steps in one array `a` of f64:
//   a[:, 0].mean(), a[:, 0].std(), a[:, 11].mean(), a[:, 11].std()
TEST(SeriesSource, JapaneseVowels) {
  const std::string folder = UNROLL_SOURCE_DIR "/../shared/sets/japanese-vowels/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the sets aren't here";
  const auto source = series_source(read_recordings(folder + "JapaneseVowels_TRAIN.ts", {}));
  EXPECT_EQ(source->sizes_text(),
            "JapaneseVowels train: 270 series of 7 to 26 steps of 12 numbers\n"
            "JapaneseVowels test: 370 series of 7 to 29 steps of 12 numbers\n");
  EXPECT_EQ(source->series_settings()->validate, "none");
  EXPECT_EQ(source->target().size, 9);
  const auto input = std::get<spec::SeriesInput>(source->input());
  EXPECT_NEAR(input.mean[0], 0.8691055006448446, 1e-12);
  EXPECT_NEAR(input.std[0], 0.4876198840752165, 1e-12);
  EXPECT_NEAR(input.mean[11], 0.08621397659609069, 1e-12);
  EXPECT_NEAR(input.std[11], 0.12754668918154505, 1e-12);
}

// No subject is in two parts, and each is tested once.
TEST(SeriesSource, WatchByFolds) {
  const std::string file = UNROLL_SOURCE_DIR "/../shared/sets/watch/watch.csv.gz";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "the sets aren't here";
  SeriesSettings settings;
  settings.task = Task::classify;
  settings.target = {"exercise"};
  settings.series = "series";
  settings.group = "subject";
  settings.folds = 5;
  Recordings recordings = read_recordings(file, settings);
  std::int64_t tested = 0;
  for (; recordings.settings.fold < 5; ++recordings.settings.fold) {
    SeriesSettings resolved = recordings.settings;
    const std::vector<Split> parts = choose_parts(recordings, resolved);
    std::map<std::string, std::set<Split>> parts_of;
    for (std::size_t k = 0; k < parts.size(); ++k) parts_of[recordings.groups[k]].insert(parts[k]);
    EXPECT_EQ(parts_of.size(), 10U);
    for (const auto& [subject, in] : parts_of) EXPECT_EQ(in.size(), 1U) << subject;
    tested += std::ranges::count(parts, kTest);
  }
  EXPECT_EQ(tested, 140);
}

TEST(SeriesSource, NamesOfTestSeriesDoNotOrderTheTrainingPart) {
  Recordings r = made_up_series({"10", "9", "1", "2"}, {"a", "b", "a", "b"});
  r.parts = {kTrain, kTrain, kTest, kTest};
  EXPECT_EQ(series_source(r)->names(kTrain), (std::vector<std::string>{"9", "10"}));
  r.names[3] = "n2";
  EXPECT_EQ(series_source(r)->names(kTrain), (std::vector<std::string>{"9", "10"}));
}

TEST(SeriesSource, AValueOfTheTestPartMakesNoTexts) {
  Recordings r = five_series();
  r.columns[0].texts = {"1", "2", "3", "4", "5", "6", "7", "8", "unknown"};
  r.values[0] = 8;
  for (std::size_t i = 2; i < r.values.size(); i += 2) r.values[i] -= 1;
  EXPECT_EQ(
      error_of<ValueError>([&] { series_source(r); }),
      "[data] column \"x\" has only numbers in the training part, but \"unknown\" at step 1 of "
      "series \"e\"; correct this value, or leave the column out with --ignore");
  r.columns[0].texts[3] = "four";  // the training part has a text: the test part decides nothing
  EXPECT_EQ(series_source(r)->names(kTrain).size(), 3U);
  r.columns[0].texts = {"TRUE", "TRUE", "TRUE", "TRUE", "TRUE", "FALSE", "x", "x", "1"};
  EXPECT_NE(error_of<ValueError>([&] { series_source(r); }).find("only TRUE and FALSE"),
            std::string::npos);
}

TEST(SeriesSource, Errors) {
  const auto error = [](auto&& change) {
    Recordings r = five_series();
    change(r);
    return error_of<ValueError>([&] { series_source(r); });
  };
  EXPECT_EQ(error([](Recordings& r) { r.values[11] = kMissing; }),
            "[data] series \"b\" misses \"y\" at step 2; fill it in, or give --missing mean or "
            "--missing previous");
  EXPECT_EQ(error([](Recordings& r) { r.targets[4] = kMissing; }),
            "[data] series \"a\" has no value of \"kind\", the target; fill it in, or leave the "
            "series out");
  EXPECT_EQ(error([](Recordings& r) { r.targets[0] = 2; }),
            "[data] the test part has classes of \"kind\" that the training part lacks: 7; choose "
            "other parts, or leave them out");
  EXPECT_EQ(error([](Recordings& r) {
              r.targets = {0, 0, 0, 0, 0};
            }),
            "[data] \"kind\" has only the class \"10\" in the training part, expected at least two "
            "classes");
  EXPECT_EQ(error([](Recordings& r) {
              r.settings.missing = Missing::mean;
              for (std::size_t i = 2; i < 14; i += 2) r.values[i] = kMissing;
            }),
            "[data] column \"x\" has no value in the training part; leave it out with --ignore");
  EXPECT_EQ(error([](Recordings& r) { r.target_columns.clear(); }),
            "[target] nothing to predict; name its column with --target");
  EXPECT_EQ(error([](Recordings& r) {
              r.columns[0].texts.clear();
              for (int i = 0; i < 65; ++i) r.columns[0].texts.push_back(std::to_string(i));
              r.names = {"a", "b"};
              r.lengths = {65, 1};
              r.values.clear();
              for (int i = 0; i < 66; ++i) {
                r.values.push_back(static_cast<float>(i % 65));
                r.values.push_back(0);
              }
              r.targets = {0, 1};
              r.parts = {kTrain, kTrain};
              r.settings.test = r.settings.validate = "none";
            }),
            "[data] column \"x\" has 65 different texts in the training part, expected at most 64; "
            "leave it out with --ignore");
}

}  // namespace
}  // namespace unroll::data
