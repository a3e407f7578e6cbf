#include "unroll/nn/loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/expect_error.h"
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
  EXPECT_NEAR(cross_entropy(logits, target({0, 9, 5}), Reduction::sum).item(),
              3 * 2.302585092994045684, 1e-14);
  EXPECT_EQ(cross_entropy(logits, target({0, 9, 5}), Reduction::none).shape(), Shape{3});
}

TEST(CrossEntropy, OfLargeLogitsIsFinite) {
  const Tensor logits = Tensor::from(Values{1e4, 0, 0, 1e4}, {2, 2});
  EXPECT_EQ(cross_entropy(logits, target({0, 0}), Reduction::none).to_vector(), (Values{0, 1e4}));
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
}

TEST(MseLoss, Reductions) {
  const Tensor a = Tensor::from(Values{1, 2, 4}, {3}), b = Tensor::from(Values{1, 4, 1}, {3});
  EXPECT_EQ(mse_loss(a, b, Reduction::none).to_vector(), (Values{0, 4, 9}));
  EXPECT_EQ(mse_loss(a, b, Reduction::sum).item(), 13);
  EXPECT_DOUBLE_EQ(mse_loss(a, b).item(), 13.0 / 3);
  EXPECT_THROW(mse_loss(a, Tensor::zeros({2}, DType::f64)), ShapeError);
}

}  // namespace
}  // namespace unroll::nn
