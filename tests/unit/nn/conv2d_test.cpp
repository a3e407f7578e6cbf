#include "unroll/nn/conv2d.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "support/tensors.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/nn/linear.h"

namespace unroll::nn {
namespace {

using test::error_of;
using Values = std::vector<double>;

Tensor image() { return Tensor::from(Values{1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 1, 3, 3}); }
Tensor kernel() { return Tensor::from(Values{1, 0, -1, 2}, {1, 1, 2, 2}); }

// Worked out by hand: y(i, j) = x(i, j) - x(i + 1, j) + 2 x(i + 1, j + 1).
TEST(Conv2d, OfOneImage) {
  EXPECT_EQ(conv2d(image(), kernel()).to_vector(), (Values{7, 9, 13, 15}));
  const Tensor bias = Tensor::from(Values{100}, {1});
  EXPECT_EQ(conv2d(image(), kernel(), bias).to_vector(), (Values{107, 109, 113, 115}));
}

TEST(Conv2d, PaddingIsZeros) {
  EXPECT_EQ(conv2d(image(), kernel(), {}, 1, {1, 0}).to_vector(),
            (Values{3, 4, 7, 9, 13, 15, 7, 8}));
  EXPECT_EQ(conv2d(image(), kernel(), {}, 1, {0, 1}).to_vector(),
            (Values{8, 7, 9, -3, 14, 13, 15, -3}));
}

TEST(Conv2d, StrideLeavesPlacesOut) {
  EXPECT_EQ(conv2d(image(), kernel(), {}, 2).to_vector(), Values{7});
  EXPECT_EQ(conv2d(image(), kernel(), {}, {1, 2}).to_vector(), (Values{7, 13}));
  EXPECT_EQ(conv2d(image(), kernel(), {}, 2, 1).to_vector(), (Values{2, 4, 14, 15}));
}

TEST(Conv2d, ChannelsAreAddedUp) {
  const Tensor x = Tensor::from(Values{1, 2, 10, 20}, {1, 2, 1, 2});
  const Tensor weight = Tensor::from(Values{1, 1, 3, -1}, {2, 2, 1, 1});
  EXPECT_EQ(conv2d(x, weight).to_vector(), (Values{11, 22, -7, -14}));
}

TEST(Conv2d, ShapesArePyTorchs) {
  const Conv2d layer(3, 8, {5, 3}, {.stride = {2, 1}, .padding = {2, 0}});
  EXPECT_EQ(layer.weight.shape(), (Shape{8, 3, 5, 3}));
  EXPECT_EQ(layer.bias.shape(), Shape{8});
  EXPECT_EQ(layer(Tensor::zeros({4, 3, 11, 7})).shape(), (Shape{4, 8, 6, 5}));
  EXPECT_FALSE(Conv2d(1, 1, 3, {.bias = false}).bias.defined());
}

// PyTorch initialises both the same way: from how many inputs reach an output.
TEST(Conv2d, StartsWhereALinearLayerOfAsManyInputsDoes) {
  Generator a(9, Rng::torch), b(9, Rng::torch);
  const Conv2d convolution(3, 7, {5, 2}, {.generator = &a});
  const Linear linear(30, 7, {.generator = &b});
  EXPECT_EQ(convolution.weight.to_vector(), linear.weight.to_vector());
  EXPECT_EQ(convolution.bias.to_vector(), linear.bias.to_vector());
}

TEST(Conv2d, OnlyTheGradientsThatAreWantedAreMade) {
  Tensor x = image(), weight = kernel(), bias = Tensor::zeros({1}, DType::f64);
  weight.set_requires_grad(true);
  sum(conv2d(x, weight, bias)).backward();
  EXPECT_EQ(weight.grad().to_vector(), (Values{12, 16, 24, 28}));
  EXPECT_FALSE(x.grad().defined());
  bias.set_requires_grad(true);
  weight.clear_grad();
  sum(conv2d(x, weight.detach(), bias)).backward();
  EXPECT_EQ(bias.grad().to_vector(), Values{4});
}

TEST(Conv2d, WhatDoesNotFitIsNamed) {
  const Tensor x = Tensor::zeros({2, 3, 8, 6}), weight = Tensor::zeros({4, 3, 5, 5});
  EXPECT_EQ(error_of<ShapeError>([&] {
              conv2d(x, Tensor::zeros({4, 2, 5, 5}));
            }),
            "[conv2d] input has 3 channels, weight expects 2");
  EXPECT_EQ(error_of<ShapeError>([&] {
              conv2d(x, Tensor::zeros({4, 3, 9, 5}));
            }),
            "[conv2d] a kernel of 9 x 5 does not fit into an input of 8 x 6 with padding 0 x 0");
  EXPECT_EQ(error_of<ShapeError>([&] {
              conv2d(x, Tensor::zeros({4, 3, 8, 9}), {}, 1, 1);
            }),
            "[conv2d] a kernel of 8 x 9 does not fit into an input of 8 x 6 with padding 1 x 1");
  EXPECT_EQ(error_of<ShapeError>([&] {
              conv2d(Tensor::zeros({3, 8, 6}), weight);
            }),
            "[conv2d] input has shape [3, 8, 6], expected [batch, channels, height, width]");
  EXPECT_EQ(error_of<ShapeError>([&] {
              conv2d(x, Tensor::zeros({4, 3, 5}));
            }),
            "[conv2d] weight has shape [4, 3, 5], expected [out_channels, in_channels, height, "
            "width]");
  EXPECT_EQ(error_of<ShapeError>([&] { conv2d(x, weight, Tensor::zeros({3})); }),
            "[conv2d] bias has shape [3], expected [4]");
  EXPECT_EQ(error_of<ShapeError>([&] { conv2d(x, weight.to(DType::f64)); }),
            "[conv2d] input is f32, weight is f64; expected one type");
  EXPECT_EQ(error_of<ValueError>([&] {
              conv2d(x, weight, {}, {1, 0});
            }),
            "[conv2d] stride is 1 x 0, expected 1 to 2147483648 each");
  EXPECT_EQ(error_of<ValueError>([&] {
              conv2d(x, weight, {}, 1, {0, -1});
            }),
            "[conv2d] padding is 0 x -1, expected 0 to 2147483648 each");
  EXPECT_EQ(error_of<ValueError>([] { Conv2d(1, 0, 3); }),
            "[conv2d] 1 channels in, 0 out and a kernel of 3 x 3; expected at least 1 each");
  EXPECT_THROW(Conv2d(1, 1, 3, {.stride = 0}), ValueError);
  EXPECT_THROW(conv2d(Tensor::zeros({0, 3, 8, 6}), weight), ShapeError);
  EXPECT_THROW(conv2d(x, weight, {}, 1, std::int64_t{1} << 62), ValueError);
}

}  // namespace
}  // namespace unroll::nn
