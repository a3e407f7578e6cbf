// The gradient of a batch is the tree over the gradients of its shards, for every layer. The tree
// is plain loops here.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/batch_part.h"
#include "support/tensors.h"
#include "unroll/autograd/ops.h"
#include "unroll/nn/conv2d.h"
#include "unroll/nn/linear.h"

namespace unroll::nn {
namespace {

using test::random_tensor;

constexpr std::int64_t kMostRows = 130;

/// Rows first .. first + count - 1 of x, which is f32.
Tensor rows_of(const Tensor& x, std::int64_t first, std::int64_t count) {
  Shape shape = x.shape();
  const std::int64_t row = x.numel() / x.size(0);
  shape[0] = count;
  const float* begin = x.data<float>() + first * row;
  return Tensor::from(std::vector<float>(begin, begin + count * row), shape);
}

/// Gradients of some weights, f32.
using Gradients = std::vector<Tensor>;

/// The gradients of `weights` if dy is the gradient of y.
Gradients gradients(const std::vector<Tensor>& weights, const Tensor& y, const Tensor& dy) {
  for (Tensor weight : weights) weight.clear_grad();
  sum(y * dy).backward();
  Gradients all;
  for (const Tensor& weight : weights) all.push_back(weight.grad().clone());
  return all;
}

/// 0+1, 2+3, ..., and so on with these sums.
Gradients tree(std::vector<Gradients> parts) {
  while (parts.size() > 1) {
    for (std::size_t i = 0; i < parts.size() / 2; ++i)
      for (std::size_t weight = 0; weight < parts[0].size(); ++weight) {
        float* const to = parts[2 * i][weight].data<float>();
        const float* const from = parts[2 * i + 1][weight].data<float>();
        for (std::int64_t e = 0; e < parts[0][weight].numel(); ++e) to[e] += from[e];
      }
    for (std::size_t i = 1; i < parts.size() / 2; ++i) parts[i] = parts[2 * i];
    parts.resize(parts.size() / 2);
  }
  return parts[0];
}

void expect_bits(const Gradients& got, const Gradients& expected, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t weight = 0; weight < got.size(); ++weight)
    EXPECT_EQ(test::bits_of(got[weight]), test::bits_of(expected[weight]))
        << what << ", weight " << weight;
}

/// Compares batches of up to kMostRows rows with their shards. `compute(first, count)` gives the
/// gradients of weights for these rows alone.
void expect_tree(const std::function<Gradients(std::int64_t first, std::int64_t count)>& compute) {
  const std::pair<std::size_t, std::size_t> batches[] = {{31, 1}, {37, 2}, {100, 4}, {130, 8}};
  for (const auto& [rows, count] : batches) {
    const Gradients whole = compute(0, static_cast<std::int64_t>(rows));
    const std::string of = std::to_string(rows) + " rows, ";
    std::vector<Gradients> shards;
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t first = k * rows / count, size = (k + 1) * rows / count - first;
      const BatchPart alone{Shards(size, 1)};
      const WithBatchPart guard(alone);
      shards.push_back(compute(static_cast<std::int64_t>(first), static_cast<std::int64_t>(size)));
    }
    expect_bits(whole, tree(shards), of + "shard by shard");
    for (std::size_t parts = 1; parts <= count; parts *= 2) {
      std::vector<Gradients> nodes;
      for (std::size_t i = 0; i < parts; ++i) {
        const BatchPart part{Shards(rows).node(i * count / parts, count / parts)};
        const WithBatchPart guard(part);
        nodes.push_back(compute(static_cast<std::int64_t>(part.shards.first_row()),
                                static_cast<std::int64_t>(part.shards.rows())));
      }
      expect_bits(whole, tree(nodes), of + std::to_string(parts) + " parts");
    }
  }
}

/// A weight with random numbers.
Tensor weight_of(const Shape& shape, std::uint64_t seed) {
  Tensor weight = random_tensor(shape, DType::f32, seed);
  weight.set_requires_grad(true);
  return weight;
}

// 40 outputs and 70 inputs are several tiles.
TEST(Shards, OfLinear) {
  const Tensor weight = weight_of({40, 70}, 1), bias = weight_of({40}, 2);
  const Tensor x = random_tensor({kMostRows, 70}, DType::f32, 3),
               dy = random_tensor({kMostRows, 40}, DType::f32, 4);
  expect_tree([&](std::int64_t first, std::int64_t count) {
    return gradients({weight, bias}, linear(rows_of(x, first, count), weight, bias),
                     rows_of(dy, first, count));
  });
}

TEST(Shards, OfLinearOverSequences) {
  const Tensor weight = weight_of({3, 5}, 1), bias = weight_of({3}, 2);
  const Tensor x = random_tensor({kMostRows, 7, 5}, DType::f32, 3),
               dy = random_tensor({kMostRows, 7, 3}, DType::f32, 4);
  expect_tree([&](std::int64_t first, std::int64_t count) {
    return gradients({weight, bias}, linear(rows_of(x, first, count), weight, bias),
                     rows_of(dy, first, count));
  });
}

TEST(Shards, OfConv2d) {
  const Tensor weight = weight_of({6, 2, 3, 2}, 1), bias = weight_of({6}, 2);
  const Tensor x = random_tensor({kMostRows, 2, 5, 4}, DType::f32, 3),
               dy = random_tensor({kMostRows, 6, 5, 3}, DType::f32, 4);
  expect_tree([&](std::int64_t first, std::int64_t count) {
    const Tensor y = conv2d(rows_of(x, first, count), weight, bias, 1, {1, 0});
    return gradients({weight, bias}, y, rows_of(dy, first, count));
  });
}

}  // namespace
}  // namespace unroll::nn
