// Steps of a single number, worked out by hand: options that the cases of tests/golden leave out.
#include <gtest/gtest.h>

#include <cmath>

#include "unroll/optim/adagrad.h"
#include "unroll/optim/adam.h"
#include "unroll/optim/rmsprop.h"

namespace unroll::optim {
namespace {

Parameters one_number(double value) {
  return {{"w", Tensor::full({1}, value, DType::f64).set_requires_grad(true)}};
}

/// The number after a step with this gradient.
double after(const Parameters& p, Optimizer& optimizer, double gradient) {
  optimizer.zero_grad();
  p[0].value.backward(Tensor::full({1}, gradient, DType::f64));
  optimizer.step();
  return p[0].value.item();
}

TEST(RmsProp, DecayAndMomentum) {
  const Parameters p = one_number(1);
  RmsProp optimizer(p, {.lr = 0.5, .alpha = 0.75, .eps = 1, .weight_decay = 1, .momentum = 0.5});
  // g = 1 + 1, v = 4 / 4, b = 2 / (1 + 1)
  EXPECT_EQ(after(p, optimizer, 1), 0.5);
  // g = -0.5 + 0.5, b = 1 / 2
  EXPECT_EQ(after(p, optimizer, -0.5), 0.25);
}

TEST(RmsProp, Centered) {
  const Parameters p = one_number(1);
  RmsProp optimizer(p, {.lr = 0.5, .alpha = 0.5, .eps = 0, .centered = true});
  // v = 16 / 2, a = 4 / 2, 4 / sqrt(8 - 4)
  EXPECT_EQ(after(p, optimizer, 4), 0);
  // v = 8 / 2 + 4 / 2, a = 2 / 2 + 2 / 2, 2 / sqrt(6 - 4)
  EXPECT_DOUBLE_EQ(after(p, optimizer, 2), -std::sqrt(2.0) / 2);
}

// The variance of a constant gradient falls to 0, and rounding takes it below.
TEST(RmsProp, CenteredStaysFiniteForConstantGradients) {
  for (const double gradient : {0.7, 1.1, 1.4, 1.7}) {
    const Parameters p = one_number(1);
    RmsProp optimizer(p, {.lr = 1e-12, .alpha = 0.5, .centered = true});
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(std::isfinite(after(p, optimizer, gradient))) << i;
  }
}

TEST(Adagrad, EveryOption) {
  const Parameters p = one_number(1);
  Adagrad optimizer(
      p, {.lr = 1, .lr_decay = 1, .weight_decay = 2, .initial_accumulator_value = 7, .eps = 2});
  // g = 1 + 2, s = 7 + 9, 3 / (4 + 2)
  EXPECT_EQ(after(p, optimizer, 1), 0.5);
  // g = 2 + 1, s = 16 + 9, lr = 1 / 2, 3 / (5 + 2)
  EXPECT_DOUBLE_EQ(after(p, optimizer, 2), 0.5 - 1.5 / 7);
}

TEST(Adam, AmsgradRemembersTheLargestSquare) {
  const Parameters plain = one_number(0), largest = one_number(0);
  const AdamOptions options{.lr = 1, .beta1 = 0, .beta2 = 0.5, .eps = 0};
  AdamOptions with = options;
  with.amsgrad = true;
  Adam adam(plain, options), amsgrad(largest, with);
  // v = 4 / 2, corrected by 1 - 1/2: 2 / sqrt(4)
  EXPECT_DOUBLE_EQ(after(plain, adam, 2), -1);
  EXPECT_DOUBLE_EQ(after(largest, amsgrad, 2), -1);
  // v = 2 / 2 + 1 / 2, or still 2; corrected by 1 - 1/4
  EXPECT_DOUBLE_EQ(after(plain, adam, 1), -1 - 1 / std::sqrt(1.5 / 0.75));
  EXPECT_DOUBLE_EQ(after(largest, amsgrad, 1), -1 - 1 / std::sqrt(2 / 0.75));
  // v = 1.5 / 2 + 16 / 2 is the largest again
  EXPECT_DOUBLE_EQ(after(largest, amsgrad, 4),
                   -1 - 1 / std::sqrt(2 / 0.75) - 4 / std::sqrt(8.75 / 0.875));
}

TEST(AdamW, AmsgradIsAdamsWithoutDecay) {
  const Parameters a = one_number(1), b = one_number(1);
  Adam adam(a, {.amsgrad = true});
  AdamW adamw(b, {.weight_decay = 0, .amsgrad = true});
  for (const double gradient : {3.0, 0.1, -0.2})
    EXPECT_EQ(after(b, adamw, gradient), after(a, adam, gradient));
}

}  // namespace
}  // namespace unroll::optim
