// Truncated back-propagation through time.
#include "unroll/nn/state.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/expect_error.h"
#include "support/tensors.h"
#include "tensor/tensor_impl.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/nn/lstm.h"

namespace unroll::nn {
namespace {

using Bits = std::vector<std::uint64_t>;

constexpr std::int64_t kSteps = 12, kChunk = 4, kBatch = 3, kInput = 2, kHidden = 5;

/// Steps first .. first + count - 1 as a leaf of their own.
Tensor chunk_of(const Tensor& x, std::int64_t first, std::int64_t count) {
  Tensor chunk = Tensor::empty({count, x.size(1), x.size(2)}, x.dtype());
  for (std::int64_t t = 0; t < count; ++t) copy_into(chunk.select(0, t), x.select(0, first + t));
  return chunk.set_requires_grad(true);
}

TEST(State, ChunksWithACarriedStateAreTheWholeForward) {
  Lstm lstm(kInput, kHidden, {.num_layers = 2});
  const Tensor x = test::random_tensor({kSteps, kBatch, kInput}, DType::f32, 1);
  const auto whole = lstm(x);
  State state;
  for (std::int64_t first = 0; first < kSteps; first += kChunk) {
    const auto [output, h_n, c_n] = lstm(chunk_of(x, first, kChunk), state);
    for (std::int64_t t = 0; t < kChunk; ++t)
      EXPECT_EQ(test::bits_of(output.select(0, t)),
                test::bits_of(whole.output.select(0, first + t)));
    state = State{h_n, c_n}.detach();
  }
  EXPECT_EQ(test::bits_of(state.h), test::bits_of(whole.h_n));
  EXPECT_EQ(test::bits_of(state.c), test::bits_of(whole.c_n));
}

TEST(State, GradientsStopWhereItWasDetached) {
  Lstm lstm(kInput, kHidden);
  const Tensor x = test::random_tensor({2 * kChunk, kBatch, kInput}, DType::f32, 1);
  for (const bool detached : {true, false}) {
    const Tensor first = chunk_of(x, 0, kChunk), second = chunk_of(x, kChunk, kChunk);
    const auto [output, h_n, c_n] = lstm(first);
    const State carried{h_n, c_n};
    sum(lstm(second, detached ? carried.detach() : carried).output).backward();
    EXPECT_TRUE(second.grad().defined());
    EXPECT_EQ(first.grad().defined(), !detached);
  }
}

TEST(State, OnlySequencesThatBeginAnewAreReset) {
  Lstm lstm(kInput, kHidden);
  const Tensor x = test::random_tensor({kChunk, kBatch, kInput}, DType::f32, 1);
  const Tensor start = test::random_tensor({1, kBatch, kHidden}, DType::f32, 2);
  State state{start.clone(), start.clone()};
  state.h.set_requires_grad(true);
  const State given = state;
  state.reset(std::vector<std::uint8_t>{0, 1, 0});
  const auto [output, h_n, c_n] = lstm(x, state);
  const auto carried = lstm(x, {start, start}), fresh = lstm(x);
  for (const std::int64_t n : {0, 1, 2})
    EXPECT_EQ(test::bits_of(output.select(1, n)),
              test::bits_of((n == 1 ? fresh : carried).output.select(1, n)));
  sum(output).backward();
  const Tensor grad = given.h.grad();
  EXPECT_EQ(grad.select(1, 1).to_vector(), std::vector<double>(kHidden));
  EXPECT_NE(grad.select(1, 0).to_vector(), std::vector<double>(kHidden));
}

TEST(State, ResetForgetsNan) {
  State state{Tensor::full({1, 2, 3}, NAN), {}};
  state.reset(std::vector<std::uint8_t>{1, 1});
  EXPECT_EQ(state.h.to_vector(), std::vector<double>(6));
  EXPECT_FALSE(state.c.defined());
}

TEST(State, EmptyOneStaysEmpty) {
  State state;
  state.reset(std::vector<std::uint8_t>{1});
  EXPECT_FALSE(state.detach().h.defined());
}

TEST(State, ResetNeedsAFlagForEachSequence) {
  State state{Tensor::zeros({1, 2, 3}), {}};
  EXPECT_EQ(test::error_of<ShapeError>([&] { state.reset(std::vector<std::uint8_t>{1}); }),
            "[reset] 1 flags for a state of shape [1, 2, 3], expected one for each sequence");
}

}  // namespace
}  // namespace unroll::nn
