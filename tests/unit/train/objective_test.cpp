#include "train/objective.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "support/expect_error.h"
#include "support/expect_parts.h"
#include "unroll/core/error.h"
#include "unroll/data/sequence_tasks.h"

namespace unroll::train {
namespace {

using Kind = data::TargetSpec::Kind;
using test::error_of;
using test::expect_parts;

Tensor logits(const std::vector<double>& values, const Shape& shape) {
  return Tensor::from(values, shape);
}

Tensor labels(const std::vector<std::int64_t>& values, const Shape& shape) {
  return Tensor::from(values, shape);
}

// Softmax of (log 3, 0) is (3/4, 1/4).
const double log3 = std::log(3.0);

TEST(Objective, OfClasses) {
  const Objective objective({.kind = Kind::classes, .size = 2}, spec::Output::logits);
  Objective::Score score(objective);
  score.add(logits({log3, 0, log3, 0}, {2, 2}), labels({0, 1}, {2}));
  score.add(logits({0, log3}, {1, 2}), labels({1}, {1}));
  const Evaluation e = score.result();
  EXPECT_EQ(e.loss_name, "cross-entropy");
  EXPECT_NEAR(e.loss, -(2 * std::log(0.75) + std::log(0.25)) / 3, 1e-12);
  ASSERT_EQ(e.metrics.size(), 1u);
  EXPECT_EQ(e.accuracy().key(), "accuracy");
  EXPECT_EQ(e.accuracy().value, 200.0 / 3);
  EXPECT_EQ(e.accuracy().unit, "%");
  EXPECT_EQ(e.accuracy().correct, 2);
  EXPECT_EQ(e.accuracy().total, 3);
  EXPECT_EQ(e.confusion.value().counts, (std::vector<std::int64_t>{1, 0, 1, 1}));
}

// 0.9 of the target is on class 0, 0.1 on class 1.
TEST(Objective, LabelsAreSmoothInTrainingAlone) {
  const Objective objective({.kind = Kind::classes, .size = 2}, spec::Output::logits,
                            ValueLoss::mse, 0.2);
  const Tensor outputs = logits({log3, 0}, {1, 2}), target = labels({0}, {1});
  EXPECT_NEAR(objective.loss(outputs, target, 1).item(),
              -(0.9 * std::log(0.75) + 0.1 * std::log(0.25)), 1e-12);
  Objective::Score score(objective);
  score.add(outputs, target);
  EXPECT_NEAR(score.result().loss, -std::log(0.75), 1e-12);
  const auto of_values = [] {
    Objective({.kind = Kind::values, .size = 1}, spec::Output::values, ValueLoss::mse, 0.2);
  };
  expect_parts(error_of<ValueError>(of_values),
               {"[label-smoothing]", "gives values", "expected logits"});
}

TEST(Objective, OfScores) {
  const Objective objective({.kind = Kind::classes, .size = 2}, spec::Output::scores);
  Objective::Score score(objective);
  score.add(logits({1, 0.5, 0.25, 0}, {2, 2}), labels({0, 1}, {2}));
  const Evaluation e = score.result();
  EXPECT_EQ(e.loss_name, "mean squared error");
  EXPECT_NEAR(e.loss, (0.25 + 0.0625 + 1) / 4, 1e-12);
  EXPECT_EQ(e.accuracy().correct, 1);
}

TEST(Objective, OfManyClassesHasNoMatrix) {
  const Objective objective({.kind = Kind::classes, .size = 1000}, spec::Output::logits);
  EXPECT_FALSE(Objective::Score(objective).result().confusion);
}

TEST(Objective, OfValues) {
  data::TargetSpec target{.kind = Kind::values, .size = 2};
  const Tensor outputs = logits({1, 2, 3, 4}, {2, 2}), wanted = logits({1, 2.5, 1, 4}, {2, 2});
  const auto result = [&] {
    const Objective objective(target, spec::Output::values);
    Objective::Score score(objective);
    score.add(outputs, wanted);
    return score.result();
  };
  Evaluation e = result();
  EXPECT_EQ(e.loss_name, "mean squared error");
  EXPECT_NEAR(e.loss, (0.25 + 4) / 4, 1e-12);
  ASSERT_EQ(e.metrics.size(), 1u);
  EXPECT_EQ(e.metrics[0].key(), "mean_absolute_error");
  EXPECT_NEAR(e.metrics[0].value, 2.5 / 4, 1e-12);
  EXPECT_FALSE(e.metrics[0].larger_is_better);
  EXPECT_FALSE(e.metrics[0].is_share());
  EXPECT_EQ(e.accuracy().total, 0);
  target.tolerance = 1;
  target.answers = "sums";
  e = result();
  EXPECT_EQ(e.accuracy().correct, 3);
  EXPECT_EQ(e.accuracy().total, 4);
  EXPECT_EQ(e.accuracy().counted, "sums within 1");
}

// Steps without a target do not count.
TEST(Objective, OfEveryStep) {
  constexpr std::int64_t none = data::no_target;
  const Tensor outputs = logits({log3, 0, 0, 0, 0, log3, log3, 0}, {2, 2, 2});
  const Tensor wanted = labels({0, none, 1, 1}, {2, 2});
  const double loss = -(2 * std::log(0.75) + std::log(0.25)) / 3;
  for (const Kind kind : {Kind::step_classes, Kind::next_token}) {
    const Objective objective({.kind = kind, .size = 2, .answers = "signs"}, spec::Output::logits);
    EXPECT_NEAR(objective.loss(outputs, wanted, objective.terms(wanted)).item(), loss, 1e-12);
    Objective::Score score(objective);
    score.add(outputs, wanted);
    const Evaluation e = score.result();
    EXPECT_NEAR(e.loss, loss, 1e-12);
    EXPECT_EQ(e.accuracy().correct, 2);
    EXPECT_EQ(e.accuracy().total, 3);
    EXPECT_EQ(e.accuracy().counted, "signs right");
    EXPECT_FALSE(e.confusion);
    ASSERT_EQ(e.metrics.size(), kind == Kind::next_token ? 2u : 1u);
    if (kind == Kind::step_classes) continue;
    EXPECT_EQ(e.metrics[1].name, "perplexity");
    EXPECT_NEAR(e.metrics[1].value, std::exp(loss), 1e-12);
  }
}

data::TargetSpec detailed(Kind kind, std::int64_t size) {
  data::TargetSpec target{.kind = kind, .size = size};
  target.detailed = true;
  return target;
}

// The names and values of the metrics.
std::vector<std::pair<std::string, double>> metrics_of(const Evaluation& e) {
  std::vector<std::pair<std::string, double>> all;
  for (const Metric& m : e.metrics) all.emplace_back(m.key(), m.value);
  return all;
}

void expect_metrics(const Evaluation& e,
                    const std::vector<std::pair<std::string, double>>& expected) {
  const auto metrics = metrics_of(e);
  ASSERT_EQ(metrics.size(), expected.size());
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    EXPECT_EQ(metrics[i].first, expected[i].first);
    EXPECT_NEAR(metrics[i].second, expected[i].second, 1e-12) << expected[i].first;
  }
}

const Tensor three_classes =
    logits({2, 0, 1, 0, 1, 0, 1, 1.5, 0, 0, 0, 3, 1, 0, -1, 0.5, 0.25, 0, 0, 2, 1}, {7, 3});
const Tensor three_labels = labels({0, 1, 0, 2, 1, 2, 1}, {7});

// >>> z = np.array([[2,0,1],[0,1,0],[1,1.5,0],[0,0,3],[1,0,-1],[.5,.25,0],[0,2,1]])
// >>> y = np.array([0,1,0,2,1,2,1]); p = scipy.special.softmax(z, 1); c = p.argmax(1)
// >>> f1_score(y, c, average='macro'), balanced_accuracy_score(y, c)
// >>> roc_auc_score(y, p, multi_class='ovr', average='macro'), log_loss(y, p)
TEST(Objective, DetailsOfClassesAreThoseOfScikitLearn) {
  const Objective objective(detailed(Kind::classes, 3), spec::Output::logits);
  Objective::Score score(objective);
  score.add(three_classes, three_labels);
  const Evaluation e = score.result();
  EXPECT_NEAR(e.loss, 0.7632363219183657, 1e-14);
  expect_metrics(e, {{"accuracy", 100 * 4.0 / 7},
                     {"macro_f1", 0.5777777777777778},
                     {"balanced_accuracy", 55.55555555555555},
                     {"auroc", 0.861111111111111}});
  ASSERT_TRUE(e.confusion);
}

// >>> s = np.array([.1,.4,.35,.8,.35,.9]); y = np.array([0,0,1,1,0,1])
// >>> roc_auc_score(y, s), f1_score(y, s > .375, average='macro')
TEST(Objective, DetailsOfTwoClasses) {
  const Objective objective(detailed(Kind::classes, 2), spec::Output::logits);
  Objective::Score score(objective);
  score.add(logits({0, 0.1 - 0.375, 0, 0.4 - 0.375, 0, 0.35 - 0.375}, {3, 2}),
            labels({0, 0, 1}, {3}));
  score.add(logits({0, 0.8 - 0.375, 0, 0.35 - 0.375, 0, 0.9 - 0.375}, {3, 2}),
            labels({1, 0, 1}, {3}));
  expect_metrics(score.result(), {{"accuracy", 200.0 / 3},
                                  {"macro_f1", 2.0 / 3},
                                  {"balanced_accuracy", 200.0 / 3},
                                  {"auroc", 0.8333333333333333}});
}

// >>> f1_score([0,0,1,3], [0,1,1,0], average='macro')
// >>> balanced_accuracy_score([0,0,1,3], [0,1,1,0])
TEST(Objective, AClassWithoutSamplesDoesNotCount) {
  const Objective objective(detailed(Kind::step_classes, 4), spec::Output::logits);
  Objective::Score score(objective);
  score.add(logits({1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 9}, {1, 5, 4}),
            labels({0, 0, 1, 3, data::no_target}, {1, 5}));
  const Evaluation e = score.result();
  expect_metrics(e, {{"accuracy", 50}, {"macro_f1", 0.38888888888888884}});
  ASSERT_TRUE(e.confusion);
  EXPECT_EQ(e.confusion->at(3, 0), 1);
}

TEST(Objective, OneClassHasNoAuroc) {
  const Objective objective(detailed(Kind::classes, 3), spec::Output::logits);
  Objective::Score score(objective);
  score.add(logits({1, 0, 0, 0, 1, 0}, {2, 3}), labels({1, 1}, {2}));
  expect_metrics(score.result(),
                 {{"accuracy", 50}, {"macro_f1", 1.0 / 3}, {"balanced_accuracy", 50}});
}

// >>> o = np.array([[1,10],[2,30],[3.5,20],[5,44]]); t = np.array([[1.5,12],[2,28],[3,25],[7,40]])
// >>> root_mean_squared_error(t, o), mean_absolute_error(t, o), r2_score(t, o)
TEST(Objective, DetailsOfValuesAreThoseOfScikitLearn) {
  data::TargetSpec target = detailed(Kind::values, 2);
  target.mean = {3, 20};
  target.std = {2, 10};
  const Objective objective(target, spec::Output::values);
  Objective::Score score(objective);
  score.add(logits({1, 10, 2, 30, 3.5, 20}, {3, 2}), logits({1.5, 12, 2, 28, 3, 25}, {3, 2}));
  score.add(logits({5, 44}, {1, 2}), logits({7, 40}, {1, 2}));
  const Evaluation e = score.result();
  EXPECT_EQ(e.loss_name, "scaled mean squared error");
  EXPECT_NEAR(e.loss, ((0.25 + 0.25 + 4) / 4 + (4 + 4 + 25 + 16) / 100.0) / 8, 1e-14);
  expect_metrics(
      e, {{"rmse", 2.2803300858899105}, {"mean_absolute_error", 2.0}, {"r2", 0.8178469293781203}});
}

// A target that is missing changes nothing, in a batch of its own or beside others.
TEST(Objective, AMissingValueDoesNotCount) {
  const Objective objective(detailed(Kind::step_values, 1), spec::Output::values);
  const Tensor outputs = logits({1, 2, 3}, {1, 3, 1}), targets = logits({2, NAN, 3}, {1, 3, 1});
  EXPECT_EQ(objective.loss(outputs, targets, objective.terms(targets)).item(), 0.5);
  Objective::Score score(objective);
  score.add(outputs, targets);
  expect_metrics(score.result(),
                 {{"rmse", std::sqrt(0.5)}, {"mean_absolute_error", 0.5}, {"r2", -1}});
  const Tensor none = logits({NAN, NAN, NAN}, {1, 3, 1});
  EXPECT_EQ(objective.loss(outputs, none, objective.terms(none)).item(), 0);
}

// Two windows of series 0 and one of series 2. The mean probability decides.
TEST(Objective, SeriesAreTheMeanOfTheirWindows) {
  const std::vector<std::int64_t> series = {0, 2, 0};
  {
    const Objective objective(detailed(Kind::classes, 2), spec::Output::logits);
    Objective::Score score(objective, series);
    score.add(logits({log3, 0, 0, log3}, {2, 2}), labels({0, 0}, {2}));
    score.add(logits({0, log3 / 2}, {1, 2}), labels({0}, {1}));
    const Metric m = score.result().metrics.back();
    EXPECT_EQ(m.key(), "accuracy_of_series");
    EXPECT_EQ(m.correct, 1);
    EXPECT_EQ(m.total, 2);
    EXPECT_EQ(m.value, 50);
  }
  const Objective objective(detailed(Kind::values, 1), spec::Output::values);
  Objective::Score score(objective, series);
  score.add(logits({1, 2, 4}, {3, 1}), logits({3, 1, 3}, {3, 1}));
  const Metric m = score.result().metrics.back();
  EXPECT_EQ(m.key(), "rmse_of_series");
  EXPECT_NEAR(m.value, std::sqrt((0.25 + 1) / 2), 1e-15);
}

// The share of a part of the rows does not depend on the other parts.
TEST(Objective, WeightedRowsAddUpToTheWhole) {
  data::TargetSpec target = detailed(Kind::classes, 3);
  target.class_weights = {0.5, 2, 1};
  const Objective objective(target, spec::Output::logits);
  const double terms = objective.terms(three_labels);
  const double whole = objective.loss(three_classes, three_labels, terms).item();
  EXPECT_NEAR(whole, 0.772604734595424, 1e-14);  // see loss_test.cpp
  double sum = 0;
  for (std::int64_t row = 0; row < 7; ++row)
    sum += objective
               .loss(three_classes.select(0, row).contiguous().view({1, 3}),
                     three_labels.select(0, row).contiguous().view({1}), terms)
               .item();
  EXPECT_NEAR(sum, whole, 1e-14);
}

TEST(Objective, AModelThatAnswersOtherwiseIsRefused) {
  EXPECT_EQ(test::error_of<ShapeError>(
                [] { Objective({.kind = Kind::values, .size = 1}, spec::Output::logits); }),
            "[eval] the model gives logits, but the data's targets are values");
  EXPECT_THROW(Objective({.kind = Kind::classes, .size = 2}, spec::Output::values), ShapeError);
  EXPECT_THROW(Objective({.kind = Kind::next_token, .size = 2}, spec::Output::scores), ShapeError);
}

}  // namespace
}  // namespace unroll::train
