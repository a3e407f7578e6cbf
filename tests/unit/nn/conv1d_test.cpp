#include "unroll/nn/conv1d.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "support/expect_error.h"
#include "support/tensors.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/core/threads.h"
#include "unroll/nn/conv2d.h"
#include "unroll/nn/linear.h"

namespace unroll::nn {
namespace {

using test::bits_of;
using test::error_of;
using test::random_tensor;
using Lengths = std::vector<std::int64_t>;
using Values = std::vector<double>;

/// One sequence of one channel.
Tensor sequence() { return Tensor::from(Values{1, 2, 3, 4, 5, 6}, {1, 6, 1}); }
Tensor taps() { return Tensor::from(Values{1, 10, 100}, {1, 1, 3}); }

// Worked out by hand: y(u) = x(u) + 10 x(u + 1) + 100 x(u + 2).
TEST(Conv1d, OfOneSequence) {
  EXPECT_EQ(conv1d(sequence(), taps(), {}, {.kernel = 3}).to_vector(),
            (Values{321, 432, 543, 654}));
  const Tensor bias = Tensor::from(Values{1000}, {1});
  EXPECT_EQ(conv1d(sequence(), taps(), bias, {.kernel = 3, .stride = 2}).to_vector(),
            (Values{1321, 1543}));
}

TEST(Conv1d, PaddingIsZerosAtBothEnds) {
  EXPECT_EQ(conv1d(sequence(), taps(), {}, {.kernel = 3, .padding = 1}).to_vector(),
            (Values{210, 321, 432, 543, 654, 65}));
}

TEST(Conv1d, ACausalOutputReadsNoLaterStep) {
  EXPECT_EQ(conv1d(sequence(), taps(), {}, {.kernel = 3, .causal = true}).to_vector(),
            (Values{100, 210, 321, 432, 543, 654}));
  EXPECT_EQ(conv1d(sequence(), taps(), {}, {.kernel = 3, .stride = 4, .causal = true}).to_vector(),
            (Values{100, 543}));
}

TEST(Conv1d, DilationLeavesStepsOut) {
  EXPECT_EQ(conv1d(sequence(), taps(), {}, {.kernel = 3, .dilation = 2}).to_vector(),
            (Values{531, 642}));
  EXPECT_EQ(
      conv1d(sequence(), taps(), {}, {.kernel = 3, .dilation = 2, .causal = true}).to_vector(),
      (Values{100, 200, 310, 420, 531, 642}));
}

// Two groups of two channels; each output is the sum of its group's channels, times 1 or -1.
TEST(Conv1d, AGroupReadsItsOwnChannels) {
  const Tensor x = Tensor::from(Values{1, 2, 10, 20, 3, 4, 30, 40}, {1, 2, 4});
  const Tensor weight = Tensor::from(Values{1, 1, -1, -1, 1, 0, 0, 1}, {4, 2, 1});
  EXPECT_EQ(conv1d(x, weight, {}, {}, 2).to_vector(), (Values{3, -3, 10, 20, 7, -7, 30, 40}));
}

// A convolution of images of one row: the same numbers as PyTorch's, which Conv2d agrees with.
TEST(Conv1d, IsAConvolutionOfImagesOfOneRow) {
  const Tensor x = random_tensor({3, 17, 4}, DType::f64, 1),
               weight = random_tensor({5, 4, 3}, DType::f64, 2),
               bias = random_tensor({5}, DType::f64, 3);
  const Tensor y = conv1d(x, weight, bias, {.kernel = 3, .stride = 2, .padding = 2});
  const Tensor image = x.transpose(1, 2).contiguous().view({3, 4, 1, 17});
  const Tensor z = conv2d(image, weight.view({5, 4, 1, 3}), bias, {1, 2}, {0, 2});
  ASSERT_EQ(z.shape(), (Shape{3, 5, 1, 10}));
  const Values a = y.to_vector(), b = z.view({3, 5, 10}).transpose(1, 2).to_vector();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-14);
}

// A result depends only on the sequence's own steps, to the bit.
TEST(Conv1d, ASequenceDoesNotSeeTheOthers) {
  const Tensor weight = random_tensor({6, 2, 3}, DType::f32, 2),
               bias = random_tensor({6}, DType::f32, 3);
  const Lengths lengths = {4, 9, 1, 6};
  const Tensor x = random_tensor({4, 9, 4}, DType::f32, 1);
  for (const StepWindows& windows :
       {StepWindows{.kernel = 3, .padding = 1}, StepWindows{.kernel = 3, .causal = true},
        StepWindows{.kernel = 3, .stride = 2, .padding = 2, .dilation = 2},
        StepWindows{.kernel = 3, .stride = 5, .padding = 1}}) {
    const Tensor y = conv1d(x, weight, bias, windows, 2, lengths);
    for (std::int64_t n = 0; n < 4; ++n) {
      const std::int64_t steps = lengths[static_cast<std::size_t>(n)],
                         outputs = windows.outputs(steps);
      const Tensor own = Tensor::empty({1, steps, 4}, DType::f32);
      std::copy_n(x.data<float>() + n * 9 * 4, steps * 4, own.data<float>());
      const Tensor alone = conv1d(own, weight, bias, windows, 2);
      ASSERT_EQ(alone.size(1), outputs);
      for (std::int64_t u = 0; u < y.size(1); ++u) {
        const Tensor row = y.select(0, n).select(0, u);
        EXPECT_EQ(bits_of(row), u < outputs ? bits_of(alone.select(0, 0).select(0, u))
                                            : bits_of(Tensor::zeros({6})));
      }
    }
  }
}

TEST(Conv1d, TheSameBitsForAnyNumberOfThreads) {
  const auto run = [] {
    Tensor x = random_tensor({40, 300, 8}, DType::f32, 1).set_requires_grad(true),
           weight = random_tensor({16, 8, 5}, DType::f32, 2).set_requires_grad(true),
           bias = random_tensor({16}, DType::f32, 3).set_requires_grad(true);
    const Tensor y = conv1d(x, weight, bias, {.kernel = 5, .stride = 2, .causal = true});
    sum(y * y).backward();
    return std::vector{bits_of(y), bits_of(x.grad()), bits_of(weight.grad()), bits_of(bias.grad())};
  };
  set_num_threads(1);
  const auto one = run();
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    EXPECT_EQ(run(), one) << threads;
  }
  set_num_threads(0);
}

TEST(Conv1d, ShapesArePyTorchs) {
  const Conv1d layer(6, 8, 5, {.stride = 2, .padding = 1, .dilation = 3, .groups = 2});
  EXPECT_EQ(layer.weight.shape(), (Shape{8, 3, 5}));
  EXPECT_EQ(layer.bias.shape(), Shape{8});
  // floor((20 + 2 - 3 (5 - 1) - 1) / 2 + 1)
  EXPECT_EQ(layer(Tensor::zeros({4, 20, 6})).shape(), (Shape{4, 5, 8}));
  EXPECT_EQ(layer.outputs(20), 5);
  EXPECT_EQ(layer.outputs(10), 0);
  EXPECT_FALSE(Conv1d(1, 1, 3, {.bias = false}).bias.defined());
}

// PyTorch initialises both the same way: from how many inputs reach an output.
TEST(Conv1d, StartsWhereALinearLayerOfAsManyInputsDoes) {
  Generator a(9, Rng::torch), b(9, Rng::torch);
  const Conv1d convolution(6, 4, 5, {.groups = 2, .generator = &a});
  const Linear linear(15, 4, {.generator = &b});
  EXPECT_EQ(convolution.weight.to_vector(), linear.weight.to_vector());
  EXPECT_EQ(convolution.bias.to_vector(), linear.bias.to_vector());
}

TEST(Conv1d, OnlyTheGradientsThatAreWantedAreMade) {
  Tensor x = sequence(), weight = taps(), bias = Tensor::zeros({1}, DType::f64);
  weight.set_requires_grad(true);
  sum(conv1d(x, weight, bias, {.kernel = 3})).backward();
  EXPECT_EQ(weight.grad().to_vector(), (Values{10, 14, 18}));
  EXPECT_FALSE(x.grad().defined());
  bias.set_requires_grad(true);
  weight.clear_grad();
  sum(conv1d(x, weight.detach(), bias, {.kernel = 3})).backward();
  EXPECT_EQ(bias.grad().to_vector(), Values{4});
}

TEST(Conv1d, WhatDoesNotFitIsNamed) {
  const Tensor x = Tensor::zeros({2, 8, 4}), weight = Tensor::zeros({6, 4, 5});
  const StepWindows five{.kernel = 5};
  EXPECT_EQ(error_of<ShapeError>([&] {
              conv1d(x, Tensor::zeros({6, 2, 5}), {}, five);
            }),
            "[conv1d] input has 4 channels, weight expects 2");
  EXPECT_EQ(error_of<ShapeError>([&] {
              conv1d(x, Tensor::zeros({5, 2, 5}), {}, five, 2);
            }),
            "[conv1d] weight has 5 output channels, expected a multiple of the 2 groups");
  EXPECT_EQ(error_of<ShapeError>([&] { conv1d(x, weight, {}, {.kernel = 3}); }),
            "[conv1d] weight has a kernel of 5, windows of 3");
  EXPECT_EQ(error_of<ShapeError>([&] {
              conv1d(Tensor::zeros({8, 4}), weight, {}, five);
            }),
            "[conv1d] input has shape [8, 4], expected [batch, steps, channels]");
  EXPECT_EQ(error_of<ShapeError>([&] {
              conv1d(x, Tensor::zeros({6, 4}), {}, five);
            }),
            "[conv1d] weight has shape [6, 4], expected [out_channels, in_channels / groups, "
            "kernel]");
  EXPECT_EQ(error_of<ShapeError>([&] { conv1d(x, weight, Tensor::zeros({3}), five); }),
            "[conv1d] bias has shape [3], expected [6]");
  EXPECT_EQ(error_of<ShapeError>([&] { conv1d(x, weight.to(DType::f64), {}, five); }),
            "[conv1d] input is f32, weight is f64; expected one type");
  EXPECT_EQ(error_of<ValueError>([&] { conv1d(x, weight, {}, {.kernel = 5, .stride = 0}); }),
            "[conv1d] stride is 0, expected 1 to 2147483648");
  EXPECT_EQ(error_of<ValueError>(
                [&] { conv1d(x, weight, {}, {.kernel = 5, .padding = 1, .causal = true}); }),
            "[conv1d] causal with padding 1, expected padding 0: a causal convolution chooses its "
            "padding itself");
  EXPECT_EQ(error_of<ValueError>([&] {
              conv1d(x, weight, {}, five, 1, Lengths{8, 4});
            }),
            "[conv1d] sequence 1 has 4 steps, expected at least 5: windows reach over 5 steps; use "
            "a smaller kernel or dilation, or a padding");
  EXPECT_EQ(error_of<ValueError>([&] {
              conv1d(x, weight, {}, five, 1, Lengths{8, 9});
            }),
            "[conv1d] length 9 at index 1, expected 1 to 8");
  EXPECT_EQ(
      error_of<ShapeError>([&] {
        conv1d(x, Tensor::zeros({6, 4, 1 << 16}), {},
               {.kernel = 1 << 16, .dilation = std::int64_t{1} << 31, .causal = true});
      }),
      "[conv1d] windows over 140735340871681 steps with padding 140735340871680 do not fit in "
      "memory");
  EXPECT_EQ(error_of<ValueError>([] { Conv1d(4, 6, 3, {.groups = 4}); }),
            "[conv1d] 4 channels in and 6 out, expected multiples of the 4 groups");
  EXPECT_EQ(error_of<ValueError>([] { Conv1d(1, 0, 3); }),
            "[conv1d] out_channels is 0, expected 1 to 2147483648");
  EXPECT_THROW(Conv1d(1, 1, 0), ValueError);
  EXPECT_THROW(Conv1d(1, 1, 3, {.padding = 1, .causal = true}), ValueError);
}

}  // namespace
}  // namespace unroll::nn
