// Shapes, options and errors of the recurrent layer; its numbers are checked by tests/golden,
// tests/grad and tests/unit/kernels.
#include "unroll/nn/rnn.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>

#include "kernels/bf16.h"
#include "support/expect_error.h"
#include "support/flush_to_zero.h"
#include "support/kernel_test.h"
#include "support/tensors.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/core/threads.h"

namespace unroll::nn {
namespace {

using test::error_of;

class RnnLayer : public test::KernelTest {};

/// A layer that is the same for equal options.
std::unique_ptr<Rnn> make_rnn(std::int64_t input, std::int64_t hidden, RnnOptions options) {
  Generator generator(3);
  options.generator = &generator;
  return std::make_unique<Rnn>(input, hidden, options);
}

TEST_F(RnnLayer, Shapes) {
  const auto rnn = make_rnn(3, 5, {.num_layers = 2});
  const auto [output, h_n] = (*rnn)(Tensor::zeros({7, 4, 3}));
  EXPECT_EQ(output.shape(), (Shape{7, 4, 5}));
  EXPECT_EQ(h_n.shape(), (Shape{2, 4, 5}));
  const auto first = make_rnn(3, 5, {.num_layers = 2, .batch_first = true});
  const auto [output2, h_n2] = (*first)(Tensor::zeros({4, 7, 3}));
  EXPECT_EQ(output2.shape(), (Shape{4, 7, 5}));
  EXPECT_EQ(h_n2.shape(), (Shape{2, 4, 5}));
}

TEST_F(RnnLayer, LastOutputIsTheFinalStateOfTheLastLayer) {
  const auto rnn = make_rnn(3, 5, {.num_layers = 3});
  const auto [output, h_n] = (*rnn)(test::random_tensor({7, 4, 3}, DType::f32, 1));
  EXPECT_EQ(test::bits_of(output.select(0, -1)), test::bits_of(h_n.select(0, -1)));
}

/// All that a step of training leaves: output, gradients.
std::vector<std::uint64_t> bits_of_rnn_training(Rnn& rnn, const Tensor& x, const Tensor& h_0,
                                                bool batch_first) {
  for (const Parameter& p : rnn.parameters()) {
    Tensor value = p.value;
    value.clear_grad();
  }
  const auto [output, h_n] = rnn(x, h_0);
  (sum(output.select(batch_first ? 1 : 0, -1)) + sum(h_n * h_n)).backward();
  auto bits = test::bits_of(h_n);
  for (const Parameter& p : rnn.parameters()) {
    const auto more = test::bits_of(p.value.grad());
    bits.insert(bits.end(), more.begin(), more.end());
  }
  return bits;
}

TEST_F(RnnLayer, BitsDependNeitherOnThreadsNorOrderNorTheCallersMode) {
  const int before = num_threads();
  const RnnOptions options{.num_layers = 2, .nonlinearity = Nonlinearity::relu};
  RnnOptions batch_first = options;
  batch_first.batch_first = true;
  const auto rnn = make_rnn(6, 20, options), other = make_rnn(6, 20, batch_first);
  const Tensor x = test::random_tensor({9, 50, 6}, DType::f32, 1, -1e-3, 1e-3);
  const Tensor h_0 = test::random_tensor({2, 50, 20}, DType::f32, 2, -1e-38, 1e-38);
  set_num_threads(1);
  const auto expected = bits_of_rnn_training(*rnn, x, h_0, false);
  EXPECT_EQ(bits_of_rnn_training(*rnn, x, h_0, false), expected);
  for (const int threads : {2, 3, 8}) {
    set_num_threads(threads);
    EXPECT_EQ(bits_of_rnn_training(*rnn, x, h_0, false), expected) << threads;
  }
  EXPECT_EQ(bits_of_rnn_training(*other, x.transpose(0, 1), h_0, true), expected);
  EXPECT_EQ(bits_of_rnn_training(*other, x.transpose(0, 1).contiguous(), h_0, true), expected);
  {
    const test::FlushToZero flush;
    EXPECT_EQ(bits_of_rnn_training(*rnn, x, h_0, false), expected);
  }
  set_num_threads(before);
}

TEST_F(RnnLayer, InputMayHaveAnyStrides) {
  const auto rnn = make_rnn(3, 5, {});
  const Tensor x = test::random_tensor({3, 4, 7}, DType::f32, 1);  // features outermost
  const Tensor view = x.transpose(0, 2);                           // (T 7, N 4, I 3)
  EXPECT_EQ(test::bits_of((*rnn)(view).output), test::bits_of((*rnn)(view.contiguous()).output));
}

TEST_F(RnnLayer, ResultsRequireNoGradientWhereNothingDoes) {
  const auto rnn = make_rnn(3, 5, {});
  const NoGrad no_grad;
  EXPECT_FALSE((*rnn)(Tensor::zeros({2, 2, 3})).output.requires_grad());
}

TEST_F(RnnLayer, DivergingRunShowsItsNan) {
  const auto rnn = make_rnn(1, 2, {.nonlinearity = Nonlinearity::relu});
  const auto [output, h_n] = (*rnn)(Tensor::full({3, 1, 1}, NAN));
  EXPECT_TRUE(std::isnan(output.select(0, -1).to_vector()[0]));
  sum(output).backward();
  EXPECT_TRUE(std::isnan(rnn->layers()[0][WeightRole::weight_ih].grad().to_vector()[0]));
}

TEST_F(RnnLayer, WhatDoesNotFitIsNamed) {
  const auto rnn = make_rnn(28, 5, {});
  EXPECT_EQ(error_of<ShapeError>([&] {
              (*rnn)(Tensor::zeros({4, 2, 27}));
            }),
            "[rnn] input has shape [4, 2, 27], expected [steps, batch, 28]");
  const auto first = make_rnn(28, 5, {.batch_first = true});
  EXPECT_EQ(error_of<ShapeError>([&] {
              (*first)(Tensor::zeros({4, 2, 2, 28}));
            }),
            "[rnn] input has shape [4, 2, 2, 28], expected [batch, steps, 28]");
  EXPECT_THROW((*rnn)(Tensor::zeros({0, 2, 28})), ShapeError);
  EXPECT_THROW((*rnn)(Tensor::zeros({4, 0, 28})), ShapeError);
  EXPECT_THROW((*rnn)(Tensor()), ShapeError);
  EXPECT_EQ(error_of<ShapeError>([&] {
              (*rnn)(Tensor::zeros({4, 2, 28}, DType::f64));
            }),
            "[rnn] input is f64, the layer is f32; convert one with to()");
  EXPECT_EQ(error_of<ShapeError>([&] {
              (*rnn)(Tensor::zeros({4, 2, 28}), Tensor::zeros({1, 3, 5}));
            }),
            "[rnn] h_0 is f32 of shape [1, 3, 5], expected f32 of shape [1, 2, 5]");
  EXPECT_THROW((*rnn)(Tensor::zeros({4, 2, 28}), Tensor::zeros({1, 2, 5}, DType::f64)), ShapeError);
}

TEST_F(RnnLayer, SizesBelowOneAreRefused) {
  EXPECT_EQ(error_of<ValueError>([] { Rnn(28, 0); }),
            "[rnn] input_size 28, hidden_size 0, num_layers 1; expected at least 1 each");
  EXPECT_THROW(Rnn(0, 5), ValueError);
  EXPECT_THROW(Rnn(5, 5, {.num_layers = 0}), ValueError);
}

TEST_F(RnnLayer, Bf16IsForF32OnCpusThatHaveIt) {
  const RnnOptions in_f64{.dtype = DType::f64, .precision = Precision::bf16};
  EXPECT_EQ(
      error_of<ValueError>([&] { Rnn(3, 4, in_f64); }),
      "[rnn] bf16 precision needs a layer of f32, this one is f64; use f32 or full precision");
  const RnnOptions in_f32{.precision = Precision::bf16};
  if (kernels::bf16_available())
    EXPECT_NO_THROW(Rnn(3, 4, in_f32));
  else
    EXPECT_THROW(Rnn(3, 4, in_f32), ValueError);
}

TEST_F(RnnLayer, Bf16RoundsWhatItMultiplies) {
  if (!kernels::bf16_available()) GTEST_SKIP() << "no AVX512_BF16 here";
  Generator generator(1);
  Rnn rnn(1, 1,
          {.nonlinearity = Nonlinearity::relu,
           .bias = false,
           .precision = Precision::bf16,
           .generator = &generator});
  for (const auto& p : rnn.parameters()) *p.value.data<float>() = 1;
  // 1 + 2^-9 becomes 1; two steps: 1 + 1
  const auto result = rnn(Tensor::full({2, 1, 1}, 1 + 0x1p-9, DType::f32));
  EXPECT_EQ(result.h_n.item(), 2);
}

TEST_F(RnnLayer, HasTheParametersOfItsOptions) {
  std::vector<std::string> names;
  for (const Parameter& p : make_rnn(3, 5, {.num_layers = 2, .bias = false})->parameters())
    names.push_back(p.name + p.value.shape().str());
  EXPECT_EQ(names, (std::vector<std::string>{"weight_ih_l0[5, 3]", "weight_hh_l0[5, 5]",
                                             "weight_ih_l1[5, 5]", "weight_hh_l1[5, 5]"}));
  for (const Parameter& p : make_rnn(3, 25, {})->parameters())
    for (const double v : p.value.to_vector()) EXPECT_LE(std::abs(v), 0.2) << p.name;
}

}  // namespace
}  // namespace unroll::nn
