#include "unroll/nn/layer_norm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/expect_error.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using test::error_of;
using Values = std::vector<double>;

// Mean 3, variance 4.
Tensor row() { return Tensor::from(Values{1, 5, 1, 5}, {1, 4}); }

TEST(LayerNorm, OfKnownMeanAndVariance) {
  EXPECT_EQ(layer_norm(row(), {4}, {}, {}, 0).to_vector(), (Values{-1, 1, -1, 1}));
  EXPECT_EQ(layer_norm(row(), {4}, {}, {}, 12).to_vector(), (Values{-0.5, 0.5, -0.5, 0.5}));
  const Tensor weight = Tensor::from(Values{1, 2, 3, 4}, {4});
  const Tensor bias = Tensor::from(Values{0, 0, 10, 10}, {4});
  EXPECT_EQ(layer_norm(row(), {4}, weight, bias, 0).to_vector(), (Values{-1, 2, 7, 14}));
  EXPECT_EQ(layer_norm(row(), {4}, {}, bias, 0).to_vector(), (Values{-1, 1, 9, 11}));
}

TEST(LayerNorm, OverSeveralDimensionsIsThatOfAllTheirElements) {
  const Tensor x = row().view({1, 2, 2});
  EXPECT_EQ(layer_norm(x, {2, 2}, {}, {}, 0).to_vector(), (Values{-1, 1, -1, 1}));
}

TEST(LayerNorm, OfEqualNumbersIsZero) {
  EXPECT_EQ(layer_norm(Tensor::full({2, 3}, 7), {3}).to_vector(), Values(6, 0));
  EXPECT_TRUE(std::isnan(layer_norm(Tensor::full({1, 2}, NAN), {2}).to_vector()[0]));
}

// In f32 the variance of numbers near 4096 would be lost among their squares.
TEST(LayerNorm, SumsAreInF64) {
  const Tensor x = Tensor::from(std::vector<float>{4096, 4097, 4096, 4097}, {1, 4});
  EXPECT_EQ(layer_norm(x, {4}, {}, {}, 0).to_vector(), (Values{-1, 1, -1, 1}));
}

TEST(LayerNorm, ParametersArePyTorchs) {
  LayerNorm layer({3, 2});
  const Parameters all = layer.parameters();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "weight");
  EXPECT_EQ(all[0].value.shape(), (Shape{3, 2}));
  EXPECT_EQ(all[0].value.to_vector(), Values(6, 1));
  EXPECT_EQ(all[1].name, "bias");
  EXPECT_EQ(all[1].value.to_vector(), Values(6, 0));
  EXPECT_EQ(LayerNorm({3}, {.bias = false}).parameters().size(), 1u);
  EXPECT_EQ(LayerNorm({3}, {.elementwise_affine = false}).parameters().size(), 0u);
}

TEST(LayerNorm, WhatDoesNotFitIsNamed) {
  EXPECT_EQ(error_of<ShapeError>([] { layer_norm(row(), {3}); }),
            "[layer_norm] input has shape [1, 4], expected the last dimensions [3]");
  EXPECT_THROW(layer_norm(row(), {}), ShapeError);
  EXPECT_THROW(layer_norm(row(), {2, 1, 4}), ShapeError);
  EXPECT_EQ(error_of<ShapeError>([] { layer_norm(row(), {4}, Tensor::zeros({4})); }),
            "[layer_norm] weight is f32 of shape [4], expected f64 of shape [4]");
  EXPECT_EQ(
      error_of<ShapeError>([] { layer_norm(row(), {4}, {}, Tensor::zeros({3}, DType::f64)); }),
      "[layer_norm] bias is f64 of shape [3], expected f64 of shape [4]");
  EXPECT_EQ(error_of<ValueError>([] { layer_norm(row(), {4}, {}, {}, -1); }),
            "[layer_norm] eps is -1, expected at least 0");
  EXPECT_EQ(error_of<ValueError>([] {
              LayerNorm({2, 0});
            }),
            "[layer_norm] normalized_shape is [2, 0], expected sizes of at least 1");
  EXPECT_THROW(LayerNorm(Shape{}), ValueError);
}

}  // namespace
}  // namespace unroll::nn
