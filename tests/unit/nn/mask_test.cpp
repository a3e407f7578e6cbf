#include "unroll/nn/mask.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/expect_error.h"
#include "support/tensors.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/core/threads.h"

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
