#include "train/baselines.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "support/tensor_source.h"
#include "unroll/data/sequence_tasks.h"

namespace unroll::train {
namespace {

using data::Split;
using test::TensorPart, test::TensorSource;
using Kind = data::TargetSpec::Kind;
using Rows = std::vector<std::tuple<std::string, std::string, double>>;

Tensor numbers(const std::vector<double>& values, const Shape& shape) {
  return Tensor::from(values, shape);
}
Tensor whole(const std::vector<std::int64_t>& values, const Shape& shape) {
  return Tensor::from(values, shape);
}

data::TargetSpec target(Kind kind, std::int64_t size) {
  data::TargetSpec spec{.kind = kind, .size = size};
  spec.detailed = true;
  return spec;
}

Rows rows_of(const std::vector<Baseline>& baselines) {
  Rows rows;
  for (const Baseline& b : baselines) rows.emplace_back(b.title, b.metric, b.value);
  return rows;
}

// Classes 1 and 2 are equally frequent in training: the first of them is said.
TEST(Baselines, OfClassesIsTheMostFrequentOfTraining) {
  const TensorSource source(
      spec::SeriesInput{.features = 1}, target(Kind::classes, 3),
      {{Split::train,
        {.inputs = Tensor::zeros({5, 2, 1}, DType::f64), .targets = whole({2, 1, 1, 0, 2}, {5})}},
       {Split::test,
        {.inputs = Tensor::zeros({4, 2, 1}, DType::f64), .targets = whole({2, 2, 2, 1}, {4})}}});
  EXPECT_EQ(rows_of(baselines(source, Split::test)),
            (Rows{{"most frequent class", "accuracy", 25}}));
  EXPECT_EQ(rows_of(baselines(source, Split::train)),
            (Rows{{"most frequent class", "accuracy", 40}}));
  EXPECT_TRUE(baselines(source, Split::validation).empty());
}

// Series 0 has two windows of class 1, series 1 one of class 0.
TEST(Baselines, OfWindowsAreAlsoThoseOfSeries) {
  const TensorPart part{.inputs = Tensor::zeros({3, 2, 1}, DType::f64),
                        .targets = whole({1, 1, 0}, {3}),
                        .series_of = {0, 0, 1}};
  const TensorSource source(spec::SeriesInput{.features = 1}, target(Kind::classes, 2),
                            {{Split::train, part}, {Split::test, part}});
  EXPECT_EQ(rows_of(baselines(source, Split::test)),
            (Rows{{"most frequent class", "accuracy", 200.0 / 3},
                  {"most frequent class", "accuracy of series", 50}}));
}

// Of 1, 2, 3 and 10 the mean is 4 and the median 2.5: a missing one does not count.
TEST(Baselines, OfValuesAreMeanAndMedianOfTraining) {
  const TensorSource source(
      spec::SeriesInput{.features = 1}, target(Kind::values, 1),
      {{Split::train,
        {.inputs = Tensor::zeros({5, 2, 1}, DType::f64),
         .targets = numbers({1, 3, NAN, 2, 10}, {5, 1})}},
       {Split::test,
        {.inputs = Tensor::zeros({2, 2, 1}, DType::f64), .targets = numbers({3, 7}, {2, 1})}}});
  const auto rows = rows_of(baselines(source, Split::test));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0], (std::tuple{"training mean", "RMSE", std::sqrt((1 + 9) / 2.0)}));
  EXPECT_EQ(rows[1], (std::tuple{"training median", "mean absolute error", (0.5 + 4.5) / 2}));
}

// Word 1 is mostly class 2, word 2 always class 0. Words 0 and 3 are unknown: the most frequent
// class is 2.
TEST(Baselines, OfWordsAreTheirMostFrequentClasses) {
  constexpr std::int64_t none = data::no_target;
  const TensorSource source(spec::TokenInput{.tokens = 4}, target(Kind::step_classes, 3),
                            {{Split::train,
                              {.inputs = whole({1, 1, 1, 2, 1, 0}, {2, 3}),
                               .targets = whole({2, 2, 1, 0, 2, none}, {2, 3}),
                               .lengths = {3, 2}}},
                             {Split::test,
                              {.inputs = whole({1, 2, 3, 2, 0, 0}, {2, 3}),
                               .targets = whole({2, 0, 2, 0, 1, none}, {2, 3}),
                               .lengths = {3, 2}}}});
  EXPECT_EQ(rows_of(baselines(source, Split::test)),
            (Rows{{"most frequent class", "accuracy", 40},
                  {"each word's most frequent class", "accuracy", 80}}));
}

TEST(Baselines, OfTheNextTokenThereAreNone) {
  const TensorPart part{.inputs = whole({0, 1}, {1, 2}), .targets = whole({1, 0}, {1, 2})};
  const TensorSource source(spec::TokenInput{.tokens = 2}, target(Kind::next_token, 2),
                            {{Split::train, part}, {Split::test, part}});
  EXPECT_TRUE(baselines(source, Split::test).empty());
}

// 124 of 142, 95 %: 80.9 to 91.8.
// >>> statsmodels.stats.proportion.proportion_confint(124, 142, method='wilson')
TEST(Interval, IsWilsons) {
  const Interval interval = interval_of({.name = "accuracy", .correct = 124, .total = 142});
  EXPECT_NEAR(interval.low, 80.85240574212684, 1e-10);
  EXPECT_NEAR(interval.high, 91.82925889366269, 1e-10);
  EXPECT_NEAR(interval_of({.name = "accuracy", .correct = 0, .total = 10}).low, 0, 1e-12);
  EXPECT_EQ(interval_of({}).high, 100);
}

}  // namespace
}  // namespace unroll::train
