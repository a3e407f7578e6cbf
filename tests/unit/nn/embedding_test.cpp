#include "unroll/nn/embedding.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "support/tensors.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using test::error_of;
using Values = std::vector<double>;

Tensor rows(const std::vector<std::int64_t>& values, const Shape& shape) {
  return Tensor::from(values, shape);
}
Tensor table() { return Tensor::from(Values{0, 1, 10, 11, 20, 21}, {3, 2}); }

TEST(Embedding, LooksRowsUp) {
  const Tensor y = embedding(rows({2, 0, 0, 1}, {2, 2}), table());
  EXPECT_EQ(y.shape(), (Shape{2, 2, 2}));
  EXPECT_EQ(y.to_vector(), (Values{20, 21, 0, 1, 0, 1, 10, 11}));
  EXPECT_EQ(embedding(rows({1}, {}), table()).to_vector(), (Values{10, 11}));
  EXPECT_EQ(embedding(rows({}, {0}), table()).shape(), (Shape{0, 2}));
}

TEST(Embedding, GradientsOfARowAddUp) {
  Tensor weight = table().set_requires_grad(true);
  sum(embedding(rows({2, 0, 2}, {3}), weight)).backward();
  EXPECT_EQ(weight.grad().to_vector(), (Values{1, 1, 0, 0, 2, 2}));
}

// Sums start at 0, so a row that a shard never looks up adds nothing.
TEST(Embedding, GradientOfMinusZeroIsZero) {
  Tensor weight = table().set_requires_grad(true);
  sum(embedding(rows({1}, {1}), weight) * -0.0).backward();
  EXPECT_EQ(test::bits_of(weight.grad()), test::bits_of(Tensor::zeros({3, 2}, DType::f64)));
}

// torch.nn.Embedding draws its weight with normal_() and then clears the padding's row.
TEST(Embedding, StartsNormalWithZeroPadding) {
  Generator a(4, Rng::torch), b(4, Rng::torch);
  const Embedding layer(5, 4, {.padding_idx = -2, .generator = &a});
  std::vector<float> drawn(20);
  b.normal(std::span(drawn), 0, 1);
  for (int i = 12; i < 16; ++i) drawn[static_cast<std::size_t>(i)] = 0;
  EXPECT_EQ(layer.weight.to_vector(), Values(drawn.begin(), drawn.end()));
}

TEST(Embedding, PaddingIsLookedUpButNotChanged) {
  Embedding layer(3, 2, {.padding_idx = 1});
  EXPECT_EQ(layer(rows({1}, {1})).to_vector(), (Values{0, 0}));
  sum(layer(rows({1, 2, 1}, {3}))).backward();
  EXPECT_EQ(layer.weight.grad().to_vector(), (Values{0, 0, 0, 0, 1, 1}));
}

TEST(Embedding, WhatDoesNotFitIsNamed) {
  EXPECT_EQ(error_of<ValueError>([] {
              embedding(rows({0, 3}, {2}), table());
            }),
            "[embedding] index 3 at element 1, expected 0 to 2");
  EXPECT_THROW(embedding(rows({-1}, {1}), table()), ValueError);
  EXPECT_EQ(error_of<ShapeError>([] { embedding(Tensor::zeros({2}), table()); }),
            "[embedding] indices are f32 of shape [2], expected i64 of at most 4 dimensions");
  EXPECT_EQ(error_of<ShapeError>([] { embedding(rows({0}, {1}), Tensor::zeros({3})); }),
            "[embedding] weight has shape [3], expected [num_embeddings, embedding_dim]");
  EXPECT_EQ(error_of<ValueError>([] { embedding(rows({0}, {1}), table(), 3); }),
            "[embedding] padding_idx is 3, expected -3 to 2");
  EXPECT_EQ(error_of<ValueError>([] { Embedding(0, 4); }),
            "[embedding] 0 embeddings of dimension 4; expected at least 1 each");
  EXPECT_THROW(Embedding(3, 4, {.padding_idx = 3}), ValueError);
}

}  // namespace
}  // namespace unroll::nn
