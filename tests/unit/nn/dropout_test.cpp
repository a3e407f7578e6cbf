#include "unroll/nn/dropout.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/expect_error.h"
#include "support/tensors.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using test::error_of;
using Values = std::vector<double>;

Tensor ones(std::int64_t count) { return Tensor::full({count}, 1, DType::f64); }

TEST(Dropout, OfAMaskScalesWhatStays) {
  const Tensor x = Tensor::from(Values{1, -2, 3, 4}, {4}),
               mask = Tensor::from(Values{1, 1, 0, 1}, {4});
  EXPECT_EQ(dropout(x, mask, 0.75).to_vector(), (Values{4, -8, 0, 16}));
  EXPECT_EQ(dropout(x, mask, 0).to_vector(), (Values{1, -2, 0, 4}));
  EXPECT_EQ(dropout(x, mask, 1).to_vector(), (Values{0, 0, 0, 0}));
}

TEST(Dropout, InTrainingDropsAShareAndKeepsTheMean) {
  Generator generator(1);
  const Dropout layer(0.2, {.generator = &generator});
  const Tensor y = layer(ones(100000));
  double kept = 0;
  for (const double v : y.to_vector()) {
    EXPECT_TRUE(v == 0 || v == 1.25) << v;
    kept += v != 0;
  }
  EXPECT_NEAR(kept, 80000, 4 * std::sqrt(100000 * 0.8 * 0.2));
}

TEST(Dropout, InEvaluationIsTheInput) {
  Dropout layer(0.5);
  layer.eval();
  const Tensor x = ones(10);
  EXPECT_EQ(layer(x).impl(), x.impl());
  EXPECT_EQ(layer.masks().step(), 0u);
  layer.train();
  EXPECT_NE(layer(ones(100)).to_vector(), ones(100).to_vector());
  EXPECT_EQ(layer.masks().step(), 1u);
}

TEST(Dropout, GradientGoesWhereTheMaskLetTheInputThrough) {
  const Dropout layer(0.5);
  Tensor x = ones(50).set_requires_grad(true);
  const Tensor y = layer(x);
  sum(y).backward();
  EXPECT_EQ(x.grad().to_vector(), y.to_vector());
}

TEST(Dropout, ResumesWithTheMasksOfTheRunThatGoesOn) {
  Generator first(3), second(3);
  Dropout layer(0.5, {.generator = &first}), resumed(0.5, {.generator = &second});
  for (int i = 0; i < 3; ++i) layer(ones(8));
  resumed.masks().set_step(layer.masks().step());
  const auto expected = layer(ones(64)).to_vector();
  EXPECT_EQ(resumed(ones(64)).to_vector(), expected);
  EXPECT_NE(resumed(ones(64)).to_vector(), expected);
}

TEST(Dropout, TwoLayersHaveMasksOfTheirOwn) {
  Generator generator(3);
  const Dropout a(0.5, {.generator = &generator}), b(0.5, {.generator = &generator});
  EXPECT_NE(a(ones(64)).to_vector(), b(ones(64)).to_vector());
}

TEST(Dropout, AGivenMaskIsUsedAndNotCounted) {
  Dropout layer(0.5);
  const Tensor mask = Tensor::from(Values{0, 1, 1}, {3});
  EXPECT_EQ(layer(ones(3), mask).to_vector(), (Values{0, 2, 2}));
  EXPECT_EQ(layer.masks().step(), 0u);
}

TEST(Dropout, WhatDoesNotFitIsNamed) {
  EXPECT_EQ(error_of<ValueError>([] { Dropout layer(1.5); }),
            "[dropout] probability is 1.5, expected 0 to 1");
  EXPECT_THROW(Dropout(NAN), ValueError);
  EXPECT_THROW(dropout(ones(2), ones(2), -1), ValueError);
  EXPECT_EQ(error_of<ShapeError>([] { dropout(ones(2), ones(3), 0.5); }),
            "[dropout] got f64 of shape [2] and f64 of shape [3]; expected equal shapes and types");
}

}  // namespace
}  // namespace unroll::nn
