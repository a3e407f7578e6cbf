#include "unroll/nn/linear.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "support/expect_error.h"
#include "support/tensors.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using test::error_of;
using Values = std::vector<double>;

TEST(Linear, Computes) {
  const Tensor weight = Tensor::from(Values{1, 2, 3, 4, 5, 6}, {2, 3});
  const Tensor x = Tensor::from(Values{1, 0, -1, 2, 2, 2}, {2, 3});
  const Tensor bias = Tensor::from(Values{10, 20}, {2});
  EXPECT_EQ(linear(x, weight, bias).to_vector(), (Values{8, 18, 22, 50}));
  EXPECT_EQ(linear(x, weight).to_vector(), (Values{-2, -2, 12, 30}));
  EXPECT_EQ(linear(x.select(0, 1), weight).shape(), Shape{2});
  EXPECT_EQ(linear(x.view({1, 2, 3}), weight).shape(), (Shape{1, 2, 2}));
}

TEST(Linear, SizesOfZero) {
  EXPECT_EQ(linear(Tensor::zeros({0, 3}), Tensor::zeros({2, 3})).shape(), (Shape{0, 2}));
  // Without features only the bias is left.
  EXPECT_EQ(linear(Tensor::zeros({2, 0}), Tensor::zeros({1, 0}), Tensor::full({1}, 7)).to_vector(),
            Values(2, 7));
}

TEST(Linear, WhatDoesNotFitIsNamed) {
  const Tensor weight = Tensor::zeros({10, 28});
  EXPECT_EQ(error_of<ShapeError>([&] {
              linear(Tensor::zeros({100, 27}), weight);
            }),
            "[linear] input has 27 features, weight expects 28");
  EXPECT_EQ(error_of<ShapeError>([&] {
              linear(Tensor::zeros({100, 28}), weight, Tensor::zeros({28}));
            }),
            "[linear] bias has shape [28], expected [10]");
  EXPECT_EQ(error_of<ShapeError>([&] {
              linear(Tensor::zeros({1, 28}, DType::f64), weight);
            }),
            "[linear] input is f64, weight is f32; expected one type");
  EXPECT_EQ(error_of<ShapeError>([&] { linear(Tensor::zeros({28}), Tensor::zeros({28})); }),
            "[linear] weight has shape [28], expected [out_features, in_features]");
  EXPECT_EQ(error_of<ShapeError>([&] { linear(Tensor::full({}, 1), weight); }),
            "[linear] input is a single number, expected [..., in_features]");
  EXPECT_THROW(linear(Tensor(), weight), ShapeError);
  EXPECT_THROW(linear(Tensor::zeros({1, 28}), Tensor()), ShapeError);
  EXPECT_EQ(error_of<ValueError>([] { Linear(0, 10); }),
            "[linear] 0 features in and 10 out; expected at least 1 each");
}

TEST(Linear, WithoutBiasHasOneParameter) {
  Linear fc(3, 2, {.bias = false});
  EXPECT_EQ(fc.parameters().size(), 1u);
  EXPECT_FALSE(fc.bias.defined());
}

TEST(Linear, StartsUniformAndInF64WhereF32Does) {
  Generator g32(5), g64(5);
  const Linear narrow(25, 400, {.generator = &g32}),
      wide(25, 400, {.dtype = DType::f64, .generator = &g64});
  const Values values = narrow.weight.to_vector();
  EXPECT_EQ(wide.weight.to_vector(), values);
  EXPECT_EQ(wide.bias.to_vector(), narrow.bias.to_vector());
  const auto [low, high] = std::ranges::minmax(values);
  EXPECT_GE(low, -0.2);
  EXPECT_LE(high, 0.2);
  EXPECT_LT(low, -0.199);  // of 10,000 numbers some come near each end
  EXPECT_GT(high, 0.199);
}

// The transpose of a single row is a view of the same memory. If it were handed out, every layer of
// the model would pack its weights at each call.
TEST(Linear, OfOneOutputHandsOutNoPointer) {
  for (const auto& [in, out] : {std::pair{5, 1}, {1, 5}}) {
    Linear layer(in, out);
    const Parameters parameters = layer.parameters();
    layer(Tensor::full({3, in}, 1));
    EXPECT_NE(parameters[0].value.impl()->storage->version(), 0u) << in;
  }
}

}  // namespace
}  // namespace unroll::nn
