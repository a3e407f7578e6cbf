#include "unroll/nn/mask.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/batch_part.h"
#include "nn/batch_mask.h"
#include "support/any_recurrent.h"
#include "support/expect_error.h"
#include "support/tensors.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/core/threads.h"
#include "unroll/nn/dropout.h"

namespace unroll::nn {
namespace {

using test::error_of;
using Values = std::vector<double>;

constexpr MaskKey key{.seed = 0x123456789abcdef0, .step = 0x100000007, .layer = 3};

// Worked out by another implementation of Philox 4x32-10, with the counter (element / 4, ~layer,
// step) and the seed as key.
TEST(Mask, IsPhilox) {
  EXPECT_EQ(bernoulli_mask({22}, 0.7, key, DType::f64).to_vector(),
            (Values{0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 1, 1, 0, 1, 0, 0}));
}

TEST(Mask, IsTheSameForAnyNumberOfThreadsAndType) {
  const int before = num_threads();
  set_num_threads(1);
  const auto alone = bernoulli_mask({333, 101}, 0.4, key).to_vector();
  set_num_threads(5);
  EXPECT_EQ(bernoulli_mask({333, 101}, 0.4, key).to_vector(), alone);
  EXPECT_EQ(bernoulli_mask({333, 101}, 0.4, key, DType::f64).to_vector(), alone);
  set_num_threads(before);
}

TEST(Mask, KeepsTheShareThatItShould) {
  for (const double keep : {0.1, 0.5, 0.9}) {
    const double count = 1e6, share = sum(bernoulli_mask({1000, 1000}, keep, key)).item() / count;
    EXPECT_NEAR(share, keep, 4 * std::sqrt(keep * (1 - keep) / count));
  }
  EXPECT_EQ(sum(bernoulli_mask({1000}, 0, key)).item(), 0);
  EXPECT_EQ(sum(bernoulli_mask({1000}, 1, key)).item(), 1000);
}

TEST(Mask, AnyPartOfTheKeyMakesAnotherMask) {
  const Tensor mask = bernoulli_mask({10000}, 0.5, key);
  MaskKey seed = key, step = key, layer = key;
  ++seed.seed;
  ++step.step;
  ++layer.layer;
  for (const MaskKey& other : {seed, step, layer}) {
    // Independent ones agree in a quarter of the ones of both: 2500, with a deviation of 43.
    const double common = sum(mask * bernoulli_mask({10000}, 0.5, other)).item();
    EXPECT_NEAR(common, 2500, 4 * 43);
  }
}

TEST(Mask, WhatDoesNotFitIsNamed) {
  EXPECT_EQ(error_of<ValueError>([] { bernoulli_mask({2}, 1.5, key); }),
            "[mask] keep probability is 1.5, expected 0 to 1");
  EXPECT_THROW(bernoulli_mask({2}, -0.1, key), ValueError);
  EXPECT_THROW(bernoulli_mask({2}, NAN, key), ValueError);
  EXPECT_THROW(bernoulli_mask({2}, 0.5, key, DType::i64), ShapeError);
  EXPECT_EQ(bernoulli_mask({0, 3}, 0.5, key).numel(), 0);
}

/// Rows first .. first + count - 1 of dimension `dim`.
Values some_rows(const Tensor& x, int dim, std::size_t first, std::size_t count) {
  std::size_t outer = 1, inner = 1;
  for (int d = 0; d < x.rank(); ++d)
    if (d != dim) (d < dim ? outer : inner) *= static_cast<std::size_t>(x.size(d));
  const auto rows = static_cast<std::size_t>(x.size(dim));
  const Values all = x.to_vector();
  Values some;
  for (std::size_t o = 0; o < outer; ++o)
    for (std::size_t n = first; n < first + count; ++n)
      for (std::size_t i = 0; i < inner; ++i) some.push_back(all[(o * rows + n) * inner + i]);
  return some;
}

/// Calls f(part) for some parts of a batch of `rows` rows while this thread works on them.
template <class F>
void for_parts(std::int64_t rows, F&& f) {
  const Shards whole(static_cast<std::size_t>(rows), 8);
  for (const std::size_t size : {8u, 4u, 2u, 1u})
    for (std::size_t first = 0; first < 8; first += size) {
      const BatchPart part{whole.node(first, size)};
      const WithBatchPart guard(part);
      f(part.shards);
    }
}

Shape with_rows(Shape shape, int dim, std::size_t rows) {
  shape[dim] = static_cast<std::int64_t>(rows);
  return shape;
}

// Rows of 7, 15 and 1 elements end inside blocks of Philox; 999 steps of 37 rows are many tasks.
TEST(BatchMask, OfAPartHasTheElementsOfTheWholeBatchsMask) {
  const std::pair<Shape, int> shapes[] = {{{37}, 0},       {{37, 7}, 0},    {{37, 3, 5}, 0},
                                          {{9, 37, 7}, 1}, {{9, 37, 1}, 1}, {{999, 37, 15}, 1}};
  for (const DType dtype : {DType::f32, DType::f64})
    for (const auto& each : shapes) {
      const Shape& shape = each.first;  // not structured bindings, which clang 14 cannot capture
      const int dim = each.second;
      const Tensor whole = bernoulli_mask(shape, 0.4, key, dtype, 1.5);
      EXPECT_EQ(test::bits_of(batch_mask(shape, dim, 0.4, key, dtype, 1.5)), test::bits_of(whole));
      for_parts(37, [&](const Shards& part) {
        EXPECT_EQ(
            batch_mask(with_rows(shape, dim, part.rows()), dim, 0.4, key, dtype, 1.5).to_vector(),
            some_rows(whole, dim, part.first_row(), part.rows()))
            << shape.str() << " from row " << part.first_row();
      });
    }
}

TEST(BatchMask, WithoutRowsIsTheSameInEveryPart) {
  const Values whole = bernoulli_mask({40, 8}, 0.4, key).to_vector();
  for_parts(80, [&](const Shards&) {
    EXPECT_EQ(batch_mask({40, 8}, -1, 0.4, key, DType::f32).to_vector(), whole);
    EXPECT_EQ(bernoulli_mask({40, 8}, 0.4, key).to_vector(), whole);
  });
}

// 2^34 - 1 elements. The last ones are in the block with the greatest counter.
TEST(BatchMask, OfTheWholeBatchHasTheLimit) {
  constexpr std::size_t edge = std::size_t{1} << 17;
  const auto last_row = [](std::size_t rows, std::size_t columns) {
    const BatchPart part{Shards(rows, edge).node(edge - 1, 1)};
    const WithBatchPart guard(part);
    return batch_mask(
        {static_cast<std::int64_t>(part.shards.rows()), static_cast<std::int64_t>(columns)}, 0, 1,
        key, DType::f32);
  };
  for (const double v : last_row(edge + 1, edge - 1).to_vector()) ASSERT_EQ(v, 1);
  EXPECT_EQ(error_of<ShapeError>([&] { last_row(edge, edge); }),
            "[mask] shape [131072, 131072] has 17179869184 elements, expected fewer than "
            "17179869184");
}

TEST(BatchMask, OfDropoutIsForThePart) {
  const Tensor x = Tensor::full({37, 3, 5}, 1, DType::f64);
  Dropout layer(0.4);
  const Tensor whole = layer(x);
  for_parts(37, [&](const Shards& part) {
    layer.masks().set_step(0);
    // Several rows for each row of the part, as after a view.
    const auto rows = static_cast<std::int64_t>(part.rows());
    EXPECT_EQ(layer(Tensor::full({3 * rows, 5}, 1, DType::f64)).to_vector(),
              some_rows(whole, 0, part.first_row(), part.rows()));
  });
}

// A row's output depends on all of its masks and on no other row.
TEST(BatchMask, OfEveryKindInARecurrentLayerIsForThePart) {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const test::RecurrentKind kind : test::recurrent_kinds)
      for (const bool batch_first : {false, true}) {
        const bool gated = kind == test::RecurrentKind::lstm || kind == test::RecurrentKind::gru;
        const auto layer = test::make_recurrent(
            kind, 3, 5,
            {.num_layers = 2,
             .batch_first = batch_first,
             .dropout = 0.3,
             .bidirectional = true,
             .regularisation = {.variational_dropout = {.input = 0.3, .state = 0.2},
                                .recurrent_dropout = gated ? 0.3 : 0.0,
                                .zoneout = {.h = 0.2,
                                            .c = kind == test::RecurrentKind::lstm ? 0.2 : 0.0},
                                .weight_drop = 0.4},
             .dtype = dtype});
        const int dim = batch_first ? 0 : 1;
        const Shape shape = batch_first ? Shape{37, 4, 3} : Shape{4, 37, 3};
        const Tensor x = test::random_tensor(shape, dtype, 1);
        const Tensor whole = (*layer)(x).output;
        for_parts(37, [&](const Shards& part) {
          layer->layer().masks().set_step(0);
          const Values rows = some_rows(x, dim, part.first_row(), part.rows());
          const Tensor given = Tensor::from(rows, with_rows(shape, dim, part.rows())).to(dtype);
          EXPECT_EQ((*layer)(given).output.to_vector(),
                    some_rows(whole, dim, part.first_row(), part.rows()))
              << test::name_of(kind);
        });
      }
}

TEST(MaskSource, CountsForwardsAndGoesOnWhereItWasSet) {
  MaskSource source(7);
  source.next();
  const MaskKey second = source.next();
  EXPECT_EQ(second.seed, 7u);
  EXPECT_EQ(second.step, 1u);
  EXPECT_EQ(source.step(), 2u);
  MaskSource resumed(7);
  resumed.set_step(source.step());
  EXPECT_EQ(resumed.next().step, source.next().step);
}

TEST(MaskSource, EachOfAGeneratorHasItsOwnSeedAndNothingIsDrawn) {
  Generator generator(5), untouched(5), torch(5, Rng::torch), torch_untouched(5, Rng::torch);
  const MaskSource a(generator), b(generator), c(torch);
  EXPECT_NE(a.seed(), b.seed());
  EXPECT_EQ(generator.next_u64(), untouched.next_u64());
  EXPECT_EQ(torch.next_u64(), torch_untouched.next_u64());
  generator.manual_seed(5);
  EXPECT_EQ(MaskSource(generator).seed(), a.seed());
  EXPECT_EQ(c.seed(), a.seed());
}

}  // namespace
}  // namespace unroll::nn
