#include "train/loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/expect_error.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/data/sequence_tasks.h"

namespace unroll::train {
namespace {

const Tensor two_labels = Tensor::from(std::vector<std::int64_t>{2, 0}, {2});

TEST(Loss, OfLogitsByHand) {
  const Tensor logits = Tensor::from(std::vector<double>{0, 0, 1, 0, 0, 0}, {2, 3});
  const double expected = std::log(2 + std::exp(1)) - 1 + std::log(3);
  EXPECT_NEAR(sum(losses_of(spec::Output::logits, logits, two_labels)).item(), expected, 1e-15);
}

// Squared errors against (0, 0, 1) and (1, 0, 0).
TEST(Loss, OfScoresByHand) {
  const Tensor scores = Tensor::from(std::vector<double>{0.5, 0, 1, 0, -1, 2}, {2, 3});
  EXPECT_EQ(sum(losses_of(spec::Output::scores, scores, two_labels)).item(),
            0.25 + 0 + 0 + 1 + 1 + 4);
}

TEST(Loss, CountsTheTermsOfItsMean) {
  const Tensor some =
      Tensor::from(std::vector<std::int64_t>{data::no_target, 2, data::no_target, 0, 1, 1}, {2, 3});
  EXPECT_EQ(count_losses(spec::Output::logits, some, 4), 4);
  EXPECT_EQ(count_losses(spec::Output::scores, two_labels, 3), 6);
  EXPECT_EQ(count_losses(spec::Output::values, Tensor::zeros({5, 2}), 2), 10);
}

// With the mean in scaled units: differences (0.5, -2, NaN, 3) / (0.5, 2, 0.5, 2) are 1, -1, none
// and 1.5.
TEST(Loss, OfValuesInScaledUnits) {
  for (const DType type : {DType::f64, DType::f32}) {
    const Tensor outputs = Tensor::from(std::vector<double>{1.5, 3, 7, 8}, {2, 2}).to(type);
    const Tensor targets = Tensor::from(std::vector<double>{1, 5, NAN, 5}, {2, 2}).to(type);
    LossOptions options{.std = Tensor::from(std::vector<double>{0.5, 2}, {2}).to(type)};
    const auto losses = [&](ValueLoss kind) {
      options.of_values = kind;
      return losses_of(spec::Output::values, outputs, targets, options).to(DType::f64);
    };
    const auto values_of = [](const Tensor& x) {
      return std::vector<double>(x.values<double>().begin(), x.values<double>().end());
    };
    EXPECT_EQ(values_of(losses(ValueLoss::mse)), (std::vector<double>{1, 1, 0, 2.25}));
    EXPECT_EQ(values_of(losses(ValueLoss::mae)), (std::vector<double>{1, 1, 0, 1.5}));
    EXPECT_EQ(values_of(losses(ValueLoss::huber)), (std::vector<double>{0.5, 0.5, 0, 1}));
    EXPECT_EQ(count_losses(spec::Output::values, targets, 2), 3);
  }
}

// The derivative of ((x - t) / s)^2 is 2 (x - t) / s^2, and 0 without a target.
TEST(Loss, OfValuesHasTheGradientOfScaledUnits) {
  const Tensor outputs =
      Tensor::from(std::vector<double>{1.5, 3, 7, 8}, {1, 2, 2}).set_requires_grad(true);
  const Tensor targets = Tensor::from(std::vector<double>{1, 5, NAN, 5}, {1, 2, 2});
  const LossOptions options{.std = Tensor::from(std::vector<double>{0.5, 2}, {2})};
  sum(losses_of(spec::Output::values, outputs, targets, options)).backward();
  const auto gradient = outputs.grad().values<double>();
  EXPECT_EQ(std::vector<double>(gradient.begin(), gradient.end()),
            (std::vector<double>{4, -1, 0, 1.5}));
}

// >>> torch.nn.functional.cross_entropy with weight=(0.5, 2, 1) divides by the sum of the weights:
// >>> p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
// >>> (w[y] * -np.log(p[np.arange(7), y])).sum() / w[y].sum()
TEST(Loss, OfWeightedClasses) {
  const Tensor logits = Tensor::from(
      std::vector<double>{2, 0, 1, 0, 1, 0, 1, 1.5, 0, 0, 0, 3, 1, 0, -1, 0.5, 0.25, 0, 0, 2, 1},
      {7, 3});
  const Tensor classes = Tensor::from(std::vector<std::int64_t>{0, 1, 0, 2, 1, 2, 1}, {7});
  const LossOptions options{.class_weights = Tensor::from(std::vector<double>{0.5, 2, 1}, {3})};
  const double terms = count_losses(spec::Output::logits, classes, 3, options);
  EXPECT_EQ(terms, 9);
  EXPECT_NEAR(sum(losses_of(spec::Output::logits, logits, classes, options)).item() / terms,
              0.772604734595424, 1e-14);
}

TEST(Loss, HasAName) {
  EXPECT_EQ(loss_name(spec::Output::logits), "cross-entropy");
  EXPECT_EQ(loss_name(spec::Output::scores), "mean squared error");
  EXPECT_EQ(loss_name(spec::Output::values, ValueLoss::mae, true), "scaled mean absolute error");
  EXPECT_EQ(loss_name(spec::Output::values, ValueLoss::huber), "Huber loss");
}

TEST(Loss, WhatDoesNotFitIsRefused) {
  const Tensor scores = Tensor::zeros({2, 2});
  for (const auto kind : {spec::Output::logits, spec::Output::scores}) {
    EXPECT_THROW(losses_of(kind, scores, two_labels), ValueError);  // there is no class 2
    EXPECT_THROW(losses_of(kind, Tensor::zeros({3, 3}), two_labels), ShapeError);
    EXPECT_THROW(losses_of(kind, Tensor::zeros({2}), two_labels), ShapeError);
  }
  EXPECT_THROW(losses_of(spec::Output::values, scores, Tensor::zeros({2, 1})), ShapeError);
  EXPECT_THROW(losses_of(spec::Output::values, scores, scores, {.std = Tensor::zeros({3})}),
               ShapeError);
}

}  // namespace
}  // namespace unroll::train
