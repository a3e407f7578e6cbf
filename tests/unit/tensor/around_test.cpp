// Tensors around the memory of another library.
#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <vector>

#include "support/expect_error.h"
#include "tensor/tensor_impl.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/nn/lstm.h"

namespace unroll {
namespace {

/// Memory that counts how often it was given back.
struct Foreign {
  std::vector<float> memory;
  int given_back = 0;

  std::shared_ptr<void> owner() {
    return {memory.data(), [this](void*) { ++given_back; }};
  }
};

TEST(TensorAround, SharesTheMemoryUntilTheLastViewIsGone) {
  Foreign foreign{{1, 2, 3, 4, 5, 6}};
  Tensor x = Tensor::around(std::span(foreign.memory), {2, 3}, foreign.owner());
  EXPECT_EQ(x.data<float>(), foreign.memory.data());
  Tensor column = x.transpose(0, 1).select(0, 1);
  x = Tensor();
  foreign.memory[4] = 50;
  EXPECT_EQ(column.to_vector(), (std::vector<double>{2, 50}));
  EXPECT_EQ(foreign.given_back, 0);
  column = Tensor();
  EXPECT_EQ(foreign.given_back, 1);
  EXPECT_EQ(foreign.memory[4], 50);  // it was not freed here
}

TEST(TensorAround, OutlivesItsNodesOnTheTape) {
  Foreign foreign{{1, 2, 3}};
  {
    Tensor x = Tensor::around(std::span(foreign.memory), {3}, foreign.owner());
    x.set_requires_grad(true);
    const Tensor y = sum(x * x);
    y.backward();
    EXPECT_EQ(x.grad().to_vector(), (std::vector<double>{2, 4, 6}));
  }
  EXPECT_EQ(foreign.given_back, 1);
}

TEST(TensorAround, AWrongNumberOfValuesIsRefused) {
  Foreign foreign{{1, 2, 3}};
  EXPECT_EQ(test::error_of<ShapeError>([&] {
              Tensor::around(std::span(foreign.memory), {2, 2}, foreign.owner());
            }),
            "[tensor] 3 values given for shape [2, 2], expected 4");
  EXPECT_EQ(foreign.given_back, 1);
}

// A layer must see what the other library wrote, although it keeps packed weights between calls.
TEST(TensorAround, WeightsMayChangeAtAnyTime) {
  Foreign foreign{std::vector<float>(16 * 3, 0.25F)};  // outlives the layer
  const Tensor x = Tensor::full({2, 1, 3}, 0.5);
  nn::Lstm lstm(3, 4), like(3, 4);
  Tensor& weight = const_cast<Tensor&>(lstm.layers()[0][WeightRole::weight_ih]);
  weight = Tensor::around(std::span(foreign.memory), weight.shape(), foreign.owner());
  for (const WeightRole role : {WeightRole::weight_hh, WeightRole::bias_ih, WeightRole::bias_hh})
    copy_into(like.layers()[0][role], lstm.layers()[0][role]);
  for (const float value : {0.25F, -0.5F}) {
    std::ranges::fill(foreign.memory, value);
    copy_into(like.layers()[0][WeightRole::weight_ih], weight);
    EXPECT_EQ(lstm(x).output.to_vector(), like(x).output.to_vector());
  }
}

// The kernels read vectors from any place that fits a number.
TEST(TensorAround, AnyPlaceForANumberWillDo) {
  std::vector<float> memory(4 * 2 * 3 + 1, 0.5F);
  nn::Lstm lstm(3, 4);
  const Tensor x = Tensor::around(std::span(memory).subspan(1), {4, 2, 3}, nullptr);
  EXPECT_EQ(lstm(x).output.to_vector(), lstm(x.clone()).output.to_vector());
}

}  // namespace
}  // namespace unroll
