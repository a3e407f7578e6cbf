#include "unroll/data/read_series.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

using test::error_of;
using Floats = std::vector<float>;
using Indices = std::vector<std::int64_t>;

// Two training series and two of the test part. x and y of the training part are 1, 2, 3, 6 and
// 10, 10, 10, 30.
constexpr const char* kTable =
    "run,x,y,size,kind,split\n"
    "a,1,10,0.5,small,train\n"
    "a,2,10,0.5,small,train\n"
    "b,3,10,2.5,large,train\n"
    "c,7,50,1.5,small,test\n"
    "b,6,30,2.5,large,train\n"
    "d,8,60,3.5,large,test\n"
    "d,9,70,3.5,large,test\n"
    "d,0,80,3.5,large,test\n";

SeriesSettings settings_of_table(Task task, const std::string& target) {
  return {.task = task,
          .target = {target},
          .features = {"x", "y"},
          .series = "run",
          .validate = "none",
          .test = "column:split=test"};
}

TEST(ReadSeries, GivesNumbersOfEachSeriesInRawUnits) {
  const test::TemporaryFolder folder;
  const Series series =
      read_series(folder.write("x.csv", kTable), settings_of_table(Task::regress, "size"));
  EXPECT_EQ(series.train.features, 2);
  EXPECT_EQ(series.train.lengths, (Indices{2, 2}));
  EXPECT_EQ(series.train.values, (Floats{1, 10, 2, 10, 3, 10, 6, 30}));
  EXPECT_EQ(series.train.targets, (Floats{0.5, 2.5}));
  EXPECT_EQ(series.test.lengths, (Indices{1, 3}));
  EXPECT_EQ(series.test.values, (Floats{7, 50, 8, 60, 9, 70, 0, 80}));
  EXPECT_EQ(series.test.targets, (Floats{1.5, 3.5}));
  EXPECT_EQ(series.validation.count(), 0);
  EXPECT_EQ(series.input.names, (std::vector<std::string>{"x", "y"}));
  // numpy: np.mean and np.std of x and y of the training part, and of 0.5 and 2.5
  EXPECT_EQ(series.input.mean, (std::vector<double>{3, 15}));
  ASSERT_EQ(series.input.std.size(), 2u);
  EXPECT_NEAR(series.input.std[0], 1.8708286933869707, 1e-12);
  EXPECT_NEAR(series.input.std[1], 8.660254037844387, 1e-12);
  EXPECT_EQ(series.target_mean, std::vector<double>{1.5});
  EXPECT_EQ(series.target_std, std::vector<double>{1});
}

TEST(ReadSeries, GivesLabelsAndTheirNames) {
  const test::TemporaryFolder folder;
  const Series series =
      read_series(folder.write("x.csv", kTable), settings_of_table(Task::classify, "kind"));
  EXPECT_EQ(series.targets, (std::vector<std::string>{"large", "small"}));
  EXPECT_EQ(series.train.labels, (Indices{1, 0}));
  EXPECT_EQ(series.test.labels, (Indices{1, 0}));
  EXPECT_TRUE(series.train.targets.empty());
  BucketLoader loader(series.test, {.batch_size = 2});
  EXPECT_EQ((*loader.begin()).labels.to_vector(), (std::vector<double>{1, 0}));
}

TEST(ReadSeries, GivesLabelsOfSteps) {
  const test::TemporaryFolder folder;
  const Series series =
      read_series(folder.write("x.csv", kTable), settings_of_table(Task::label, "kind"));
  EXPECT_TRUE(series.train.every_step);
  EXPECT_EQ(series.train.labels, (Indices{1, 1, 0, 0}));
  EXPECT_EQ(series.test.labels, (Indices{1, 0, 0, 0}));
}

TEST(ReadSeries, RefusesWords) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("x.csv", kTable);
  SeriesSettings settings = settings_of_table(Task::classify, "kind");
  settings.features.clear();
  settings.words = "x";
  EXPECT_EQ(error_of<ValueError>([&] { read_series(path, settings); }),
            "[data] " + path +
                ": column x has words, expected series of numbers; train on words with the "
                "program");
}

TEST(ReadSeries, RefusesLogarithms) {
  const test::TemporaryFolder folder;
  SeriesSettings settings = settings_of_table(Task::classify, "kind");
  settings.log = true;
  const std::string path = folder.write("x.csv", kTable);
  EXPECT_NE(error_of<ValueError>([&] { read_series(path, settings); }).find("leave `log` out"),
            std::string::npos);
}

TEST(Standardize, ScalesEachFeature) {
  Sequences sequences;
  sequences.features = 2;
  sequences.lengths = {2};
  sequences.values = {1, 10, 3, 30};
  standardize(sequences, {.features = 2, .mean = {2, 10}, .std = {0.5, 4}});
  EXPECT_EQ(sequences.values, (Floats{-2, 0, 2, 5}));
  standardize(sequences, {.features = 2});
  EXPECT_EQ(sequences.values, (Floats{-2, 0, 2, 5}));
  EXPECT_EQ(error_of<ShapeError>([&] { standardize(sequences, {.features = 3}); }),
            "[standardize] the sequences have 2 features, the input 3");
}

}  // namespace
}  // namespace unroll::data
