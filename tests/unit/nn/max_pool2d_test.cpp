#include "unroll/nn/max_pool2d.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/expect_error.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using test::error_of;
using Values = std::vector<double>;

Tensor plane() { return Tensor::from(Values{1, 5, 2, 0, 3, 4, 9, 7, 8, 6, -1, -2}, {1, 1, 3, 4}); }

TEST(MaxPool2d, OfOneImage) {
  EXPECT_EQ(max_pool2d(plane(), 2).to_vector(), (Values{5, 9}));
  EXPECT_EQ(max_pool2d(plane(), {1, 2}).to_vector(), (Values{5, 2, 4, 9, 8, -1}));
  EXPECT_EQ(max_pool2d(plane(), 2, {.stride = 1}).to_vector(), (Values{5, 9, 9, 8, 9, 9}));
  EXPECT_EQ(MaxPool2d(3)(plane()).to_vector(), Values{9});
}

TEST(MaxPool2d, PaddingIsNeverTheLargest) {
  const Tensor x = Tensor::full({1, 1, 2, 2}, -3, DType::f64);
  EXPECT_EQ(max_pool2d(x, 2, {.padding = 1}).to_vector(), Values(4, -3));
  EXPECT_EQ(max_pool2d(plane(), 3, {.stride = 2, .padding = 1}).to_vector(), (Values{5, 9, 8, 9}));
}

TEST(MaxPool2d, NanShowsAndInfinityIsANumber) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (int at = 0; at < 4; ++at) {
    Tensor x = Tensor::from(Values{1, 2, 3, 4}, {1, 1, 2, 2});
    x.values<double>()[static_cast<std::size_t>(at)] = NAN;
    EXPECT_TRUE(std::isnan(max_pool2d(x, 2).item())) << at;
  }
  EXPECT_EQ(max_pool2d(Tensor::full({1, 1, 2, 2}, -infinity, DType::f64), 2).item(), -infinity);
}

TEST(MaxPool2d, TheGradientGoesToTheFirstOfEquals) {
  Tensor x = Tensor::full({1, 1, 2, 4}, 1, DType::f64).set_requires_grad(true);
  (max_pool2d(x, 2) * 3.0).backward(Tensor::full({1, 1, 1, 2}, 1, DType::f64));
  EXPECT_EQ(x.grad().to_vector(), (Values{3, 0, 3, 0, 0, 0, 0, 0}));
}

TEST(MaxPool2d, WhatDoesNotFitIsNamed) {
  EXPECT_EQ(error_of<ShapeError>([] { max_pool2d(plane(), 4); }),
            "[max_pool2d] a kernel of 4 x 4 does not fit into an input of 3 x 4 with padding 0 x "
            "0");
  EXPECT_EQ(error_of<ShapeError>([] {
              max_pool2d(Tensor::zeros({3, 4}), 2);
            }),
            "[max_pool2d] input has shape [3, 4], expected [batch, channels, height, width]");
  EXPECT_EQ(error_of<ValueError>([] { MaxPool2d(2, {.padding = 2}); }),
            "[max_pool2d] padding is 2 x 2, expected 0 to half of the kernel, which is 2 x 2");
  EXPECT_EQ(error_of<ValueError>([] { MaxPool2d(0); }),
            "[max_pool2d] kernel is 0 x 0, expected 1 to 2147483648 each");
  EXPECT_EQ(error_of<ValueError>([] { MaxPool2d(2, {.stride = 0}); }),
            "[max_pool2d] stride is 0 x 0, expected 1 to 2147483648 each");
  EXPECT_THROW(max_pool2d(Tensor::zeros({1, 1, 2, 2}, DType::i64), 2), ShapeError);
}

}  // namespace
}  // namespace unroll::nn
