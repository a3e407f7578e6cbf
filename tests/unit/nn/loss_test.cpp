#include "unroll/nn/loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/expect_error.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using test::error_of;
using Values = std::vector<double>;

Tensor target(const std::vector<std::int64_t>& classes) {
  return Tensor::from(classes, {static_cast<std::int64_t>(classes.size())});
}

TEST(CrossEntropy, OfEqualLogitsIsTheLogarithmOfTheClasses) {
  const Tensor logits = Tensor::full({3, 10}, 0.7, DType::f64);
  EXPECT_NEAR(cross_entropy(logits, target({0, 9, 5})).item(), 2.302585092994045684, 1e-14);
  EXPECT_NEAR(cross_entropy(logits, target({0, 9, 5}), {.reduction = Reduction::sum}).item(),
              3 * 2.302585092994045684, 1e-14);
  EXPECT_EQ(cross_entropy(logits, target({0, 9, 5}), {.reduction = Reduction::none}).shape(),
            Shape{3});
}

TEST(CrossEntropy, OfLargeLogitsIsFinite) {
  const Tensor logits = Tensor::from(Values{1e4, 0, 0, 1e4}, {2, 2});
  EXPECT_EQ(cross_entropy(logits, target({0, 0}), {.reduction = Reduction::none}).to_vector(),
            (Values{0, 1e4}));
}

// Of equal logits every class has the loss log(10), whatever the weights and the smoothing.
TEST(CrossEntropy, OptionsOfEqualLogits) {
  const Tensor logits = Tensor::full({3, 10}, 0.7, DType::f64);
  Tensor weight = Tensor::full({10}, 1, DType::f64);
  weight.values<double>()[9] = 3;
  const double each = 2.302585092994045684;
  const Tensor classes = target({0, 9, 5});
  EXPECT_NEAR(cross_entropy(logits, classes, {.label_smoothing = 0.3}).item(), each, 1e-14);
  EXPECT_NEAR(cross_entropy(logits, classes, {.weight = weight}).item(), each, 1e-14);
  EXPECT_NEAR(
      cross_entropy(logits, classes, {.weight = weight, .reduction = Reduction::sum}).item(),
      5 * each, 1e-13);
  // All of the target on all classes: the mean weight, which is 1.2.
  EXPECT_NEAR(cross_entropy(logits, classes,
                            {.weight = weight, .reduction = Reduction::sum, .label_smoothing = 1})
                  .item(),
              3 * 1.2 * each, 1e-13);
}

TEST(CrossEntropy, WhatIsIgnoredCountsForNothing) {
  Tensor logits = Tensor::from(Values{1, 2, NAN, 4, 5, 7}, {3, 2});
  logits.set_requires_grad(true);
  const double expected = 0.5 * (1.313261687518222834 + 0.126928011042972496);  // log1p(e^1, e^-2)
  EXPECT_NEAR(cross_entropy(logits, target({0, -100, 1})).item(), expected, 1e-15);
  EXPECT_NEAR(cross_entropy(logits, target({0, 7, 1}), {.ignore_index = 7}).item(), expected,
              1e-15);
  const Tensor each = cross_entropy(logits, target({0, -100, 1}), {.reduction = Reduction::none});
  EXPECT_EQ(each.to_vector()[1], 0);
}

// As in PyTorch: the loss is 0 / 0, but no gradient is spoilt.
TEST(CrossEntropy, AllIgnoredIsNanWithoutAGradient) {
  Tensor logits = Tensor::from(Values{1, 2, 3, 4}, {2, 2});
  logits.set_requires_grad(true);
  const Tensor loss = cross_entropy(logits, target({-100, -100}));
  EXPECT_TRUE(std::isnan(loss.item()));
  loss.backward();
  EXPECT_EQ(logits.grad().to_vector(), Values(4, 0));
}

TEST(CrossEntropy, NanIsShown) {
  const Tensor logits = Tensor::from(Values{NAN, 0}, {1, 2});
  EXPECT_TRUE(std::isnan(cross_entropy(logits, target({1})).item()));
}

TEST(CrossEntropy, TargetOutsideTheClassesIsNamed) {
  const Tensor logits = Tensor::zeros({3, 10});
  EXPECT_EQ(error_of<ValueError>([&] {
              cross_entropy(logits, target({0, 10, 3}));
            }),
            "[cross_entropy] target 10 at index 1, expected 0 to 9");
  EXPECT_THROW(cross_entropy(logits, target({0, 1, -1})), ValueError);
}

TEST(CrossEntropy, WhatDoesNotFitIsNamed) {
  const Tensor logits = Tensor::zeros({3, 10});
  EXPECT_EQ(error_of<ShapeError>([&] { cross_entropy(Tensor::zeros({10}), target({1})); }),
            "[cross_entropy] logits have shape [10], expected [batch, classes]");
  EXPECT_EQ(error_of<ShapeError>([&] {
              cross_entropy(logits, target({1, 2}));
            }),
            "[cross_entropy] target is i64 of shape [2], expected i64 of shape [3]");
  EXPECT_THROW(cross_entropy(logits, Tensor::zeros({3})), ShapeError);
  EXPECT_EQ(error_of<ShapeError>([&] {
              cross_entropy(logits, target({1, 2, 3}), {.weight = Tensor::zeros({9})});
            }),
            "[cross_entropy] weight is f32 of shape [9], expected f32 of shape [10], one for each "
            "class");
  EXPECT_EQ(error_of<ValueError>([&] {
              cross_entropy(logits, target({1, 2, 3}), {.label_smoothing = 1.5});
            }),
            "[cross_entropy] label_smoothing is 1.5, expected 0 to 1");
}

TEST(MseLoss, Reductions) {
  const Tensor a = Tensor::from(Values{1, 2, 4}, {3}), b = Tensor::from(Values{1, 4, 1}, {3});
  EXPECT_EQ(mse_loss(a, b, Reduction::none).to_vector(), (Values{0, 4, 9}));
  EXPECT_EQ(mse_loss(a, b, Reduction::sum).item(), 13);
  EXPECT_DOUBLE_EQ(mse_loss(a, b).item(), 13.0 / 3);
  EXPECT_EQ(
      error_of<ShapeError>([&] { mse_loss(a, Tensor::zeros({2}, DType::f64)); }),
      "[mse_loss] got f64 of shape [3] and f64 of shape [2]; expected equal shapes and types");
}

TEST(L1Loss, Reductions) {
  const Tensor a = Tensor::from(Values{1, 2, 4}, {3}), b = Tensor::from(Values{1, 4, 1}, {3});
  EXPECT_EQ(l1_loss(a, b, Reduction::none).to_vector(), (Values{0, 2, 3}));
  EXPECT_EQ(l1_loss(a, b, Reduction::sum).item(), 5);
  EXPECT_DOUBLE_EQ(l1_loss(a, b).item(), 5.0 / 3);
  EXPECT_EQ(error_of<ShapeError>([&] { l1_loss(a, Tensor::zeros({3})); }),
            "[l1_loss] got f64 of shape [3] and f32 of shape [3]; expected equal shapes and types");
}

TEST(L1Loss, HasNoSlopeWhereBothAreEqual) {
  const Tensor a = Tensor::from(Values{1, 2, 4}, {3}).set_requires_grad(true);
  l1_loss(a, Tensor::from(Values{1, 4, 1}, {3}), Reduction::sum).backward();
  EXPECT_EQ(a.grad().to_vector(), (Values{0, -1, 1}));
}

TEST(BinaryCrossEntropy, OfLogits) {
  const Tensor logits = Tensor::from(Values{0, 0, 1000, -1000, 1000}, {5});
  const Tensor wanted = Tensor::from(Values{0, 1, 1, 0, 0}, {5});
  const Values each = binary_cross_entropy_with_logits(logits, wanted, Reduction::none).to_vector();
  EXPECT_NEAR(each[0], 0.693147180559945309, 1e-15);
  EXPECT_NEAR(each[1], 0.693147180559945309, 1e-15);
  EXPECT_EQ(each[2], 0);
  EXPECT_EQ(each[3], 0);
  EXPECT_EQ(each[4], 1000);
  EXPECT_TRUE(std::isnan(
      binary_cross_entropy_with_logits(Tensor::full({1}, NAN), Tensor::full({1}, 1)).item()));
}

TEST(BinaryCrossEntropy, OfProbabilities) {
  const Tensor p = Tensor::from(Values{0.5, 0.25, 0, 1, 0, 1}, {6}).set_requires_grad(true);
  const Tensor wanted = Tensor::from(Values{1, 0, 0, 1, 1, 0}, {6});
  const Tensor loss = binary_cross_entropy(p, wanted, Reduction::none);
  const Values each = loss.to_vector();
  EXPECT_NEAR(each[0], 0.693147180559945309, 1e-15);
  EXPECT_NEAR(each[1], 0.287682072451780927, 1e-15);
  EXPECT_EQ(each[2], 0);
  EXPECT_EQ(each[3], 0);
  EXPECT_EQ(each[4], 100);  // PyTorch's bound
  EXPECT_EQ(each[5], 100);
  sum(loss).backward();
  for (const double g : p.grad().to_vector()) EXPECT_TRUE(std::isfinite(g));
}

TEST(BinaryCrossEntropy, WhatIsNoProbabilityIsNamed) {
  EXPECT_EQ(
      error_of<ValueError>([] {
        binary_cross_entropy(Tensor::from(Values{0.5, 1.5}, {2}), Tensor::zeros({2}, DType::f64));
      }),
      "[binary_cross_entropy] input is 1.5 at element 1, expected a probability, 0 to 1; for "
      "logits use binary_cross_entropy_with_logits");
}

}  // namespace
}  // namespace unroll::nn
