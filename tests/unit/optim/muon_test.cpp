#include "unroll/optim/muon.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/tensors.h"
#include "support/threads.h"
#include "unroll/autograd/ops.h"
#include "unroll/nn/rnn.h"

namespace unroll::optim {
namespace {

using Values = std::vector<double>;

Parameters one_matrix(const Shape& shape, int gates, DType dtype = DType::f64) {
  return {{"w", Tensor::zeros(shape, dtype).set_requires_grad(true), gates}};
}

TEST(Muon, ZeroGradientMovesNothing) {
  const Parameters p = one_matrix({4, 3}, 2);
  Muon muon(p);
  p[0].value.backward(Tensor::zeros({4, 3}, DType::f64));
  muon.step();
  EXPECT_EQ(p[0].value.to_vector(), Values(12, 0));
}

TEST(Muon, BlockWithoutGradientStaysWhenAnotherMoves) {
  const Parameters p = one_matrix({4, 3}, 2);
  Muon muon(p);
  Tensor gradient = Tensor::zeros({4, 3}, DType::f64);
  gradient.values<double>()[0] = 1;
  p[0].value.backward(gradient);
  muon.step();
  const Values w = p[0].value.to_vector();
  EXPECT_NE(w[0], 0);
  EXPECT_EQ(Values(w.begin() + 6, w.end()), Values(6, 0));
}

// The gradients of units that died are 0; their momentum falls through the subnormals.
TEST(Muon, FadingMomentumStaysFinite) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Parameters p = one_matrix({3, 3}, 1, dtype);
    Muon muon(p);
    p[0].value.backward(test::random_tensor({3, 3}, dtype, 1));
    muon.step();
    muon.zero_grad();
    p[0].value.backward(Tensor::zeros({3, 3}, dtype));
    for (int i = 0; i < (dtype == DType::f32 ? 1200 : 8000); ++i) muon.step();
    for (const double v : p[0].value.to_vector()) ASSERT_TRUE(std::isfinite(v));
  }
}

// Newton-Schulz brings all singular values near 1, so that w w^T is near lr^2 I after one step from
// 0. Source: Jordan et al. 2024, who give 0.7 to 1.2 as the range of these coefficients.
TEST(Muon, StepIsNearlyOrthogonal) {
  const Parameters p = one_matrix({4, 9}, 1);
  Muon muon(p, {.lr = 1});
  p[0].value.backward(test::random_tensor({4, 9}, DType::f64, 1));
  muon.step();
  const Tensor w = p[0].value.detach(), product = matmul(w, w.transpose(0, 1));
  for (std::int64_t i = 0; i < 4; ++i)
    for (std::int64_t j = 0; j < 4; ++j)
      EXPECT_NEAR(product.select(0, i).select(0, j).item(), i == j, 0.5);
}

TEST(Muon, OnlyRecurrentMatricesAreOrthogonalised) {
  nn::Rnn rnn(3, 4, {.dtype = DType::f64});
  const Parameters p = rnn.parameters();
  const Values bias = p[2].value.to_vector();
  Muon muon(p, {.lr = 0.01, .others = {.lr = 0.5, .weight_decay = 0}});
  for (const Parameter& each : p)
    each.value.backward(test::random_tensor(each.value.shape(), DType::f64, 1));
  const Values gradient = p[2].value.grad().to_vector();
  muon.step();
  // Adam's first step is lr in the direction of the gradient's signs.
  for (std::size_t i = 0; i < bias.size(); ++i)
    EXPECT_NEAR(p[2].value.to_vector()[i], bias[i] - std::copysign(0.5, gradient[i]), 1e-6);
}

// Six blocks: dealt out to up to six threads, and each product on all threads of eight.
TEST(Muon, ThreadsChangeNoBit) {
  std::vector<std::vector<std::uint64_t>> of_one_thread;
  for (const int threads : {1, 2, 3, 6, 8}) {
    const test::Threads guard(threads);
    Parameters p = one_matrix({240, 200}, 4, DType::f32);
    p.push_back({"wide", Tensor::zeros({60, 130}).set_requires_grad(true), 1});
    p.push_back({"double", Tensor::zeros({100, 60}, DType::f64).set_requires_grad(true), 1});
    p.push_back({"bias", Tensor::zeros({240}).set_requires_grad(true)});
    Muon muon(p);
    for (const std::uint64_t step : {1u, 2u}) {
      muon.zero_grad();
      for (const Parameter& each : p)
        each.value.backward(test::random_tensor(each.value.shape(), each.value.dtype(), step));
      muon.step();
    }
    for (std::size_t i = 0; i < p.size(); ++i) {
      if (threads == 1) of_one_thread.push_back(test::bits_of(p[i].value));
      EXPECT_EQ(test::bits_of(p[i].value), of_one_thread[i]) << p[i].name << " " << threads;
    }
  }
}

}  // namespace
}  // namespace unroll::optim
