#include "train/objective.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/expect_error.h"
#include "unroll/core/error.h"
#include "unroll/data/sequence_tasks.h"

namespace unroll::train {
namespace {

using Kind = data::TargetSpec::Kind;

Tensor numbers(const std::vector<double>& values, const Shape& shape) {
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
  score.add(numbers({log3, 0, log3, 0}, {2, 2}), labels({0, 1}, {2}));
  score.add(numbers({0, log3}, {1, 2}), labels({1}, {1}));
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

TEST(Objective, OfScores) {
  const Objective objective({.kind = Kind::classes, .size = 2}, spec::Output::scores);
  Objective::Score score(objective);
  score.add(numbers({1, 0.5, 0.25, 0}, {2, 2}), labels({0, 1}, {2}));
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
  const Tensor outputs = numbers({1, 2, 3, 4}, {2, 2}), wanted = numbers({1, 2.5, 1, 4}, {2, 2});
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
  const Tensor outputs = numbers({log3, 0, 0, 0, 0, log3, log3, 0}, {2, 2, 2});
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

TEST(Objective, AModelThatAnswersOtherwiseIsRefused) {
  EXPECT_EQ(test::error_of<ShapeError>(
                [] { Objective({.kind = Kind::values, .size = 1}, spec::Output::logits); }),
            "[eval] the model gives logits, but the data's targets are values");
  EXPECT_THROW(Objective({.kind = Kind::classes, .size = 2}, spec::Output::values), ShapeError);
  EXPECT_THROW(Objective({.kind = Kind::next_token, .size = 2}, spec::Output::scores), ShapeError);
}

}  // namespace
}  // namespace unroll::train
