// The torch engine against numbers that torch 2.13 printed, the native one against Random123's
// published vectors.

#include "unroll/core/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "core/philox.h"
#include "unroll/core/error.h"

namespace unroll {
namespace {

using Words = std::array<std::uint32_t, 4>;

std::vector<std::uint32_t> bits(const std::vector<float>& values) {
  std::vector<std::uint32_t> result;
  for (const float x : values) result.push_back(std::bit_cast<std::uint32_t>(x));
  return result;
}

// Source: kat_vectors of Random123.
TEST(Philox, PublishedVectors) {
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox(Words{0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox(Words{ones, ones, ones, ones}, {ones, ones}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox(Words{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
  EXPECT_EQ(philox(0x85a308d3'243f6a88, 0x03707344'13198a2e, 0x299f31d0'a4093822),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, NativeDrawsTheWordsOfSuccessiveBlocks) {
  Generator generator(0);
  for (const std::uint32_t word : {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u})
    EXPECT_EQ(generator.next_u32(), word);
  EXPECT_EQ(generator.next_u32(), philox(1, 0, 0)[0]);
  EXPECT_EQ(Generator(5, Rng::native, 9).next_u32(), philox(0, 9, 5)[0]);
}

TEST(Random, NativeSeedHas64Bits) {
  EXPECT_NE(Generator(3).next_u64(), Generator((std::uint64_t{1} << 40) + 3).next_u64());
}

// The C++ standard's check of mt19937, [rand.predef].
TEST(Random, TorchEngineIsMt19937) {
  Generator generator(5489, Rng::torch);
  for (int i = 1; i < 10000; ++i) generator.next_u32();
  EXPECT_EQ(generator.next_u32(), 4123659995u);
}

TEST(Random, TorchEngineHasOneStream) { EXPECT_THROW(Generator(0, Rng::torch, 1), ValueError); }

// torch.manual_seed(7); torch.rand(4), torch.rand(3, dtype=torch.float64), .uniform_(-3, 5)
TEST(Random, UniformOfTorch) {
  std::vector<float> x(4);
  Generator(7, Rng::torch).uniform(x, 0, 1);
  EXPECT_EQ(bits(x), (std::vector<std::uint32_t>{0x3f08f0af, 0x3e4b9310, 0x3f28c219, 0x3f2829f6}));
  Generator(7, Rng::torch).uniform(x, -3, 5);
  EXPECT_EQ(bits(x), (std::vector<std::uint32_t>{0x3fa3c2bc, 0xbfb46cf0, 0x40118432, 0x401053ec}));
  std::vector<double> y(3);
  Generator(7, Rng::torch).uniform(y, 0, 1);
  EXPECT_EQ(
      y, (std::vector<double>{0x1.1e15e7465c988p-2, 0x1.18432a35053ecp-2, 0x1.b9643fa6cd0d3p-1}));
}

// torch.manual_seed(7); torch.empty(17).normal_(3.7, 2.1): a block of 16 and a tail over it
TEST(Random, NormalOfTorchInBlocks) {
  std::vector<float> x(17);
  Generator(7, Rng::torch).normal(x, 3.7, 2.1);
  EXPECT_EQ(bits(x), (std::vector<std::uint32_t>{
                         0x3ffd25da, 0x40412da2, 0x40f7da18, 0x40407249, 0x4083bc4a, 0x40aaf48d,
                         0x40bc3a60, 0x400b6cff, 0x3ff569d4, 0x404fdbad, 0xbde77c42, 0x403e6645,
                         0xbf210ceb, 0x40a3b317, 0x3f6bc4f4, 0x3f583030, 0x3ff0a171}));
}

// The same for 3 elements, then one more, which is the cached second half of a pair.
TEST(Random, NormalOfTorchOneByOne) {
  Generator generator(7, Rng::torch);
  std::vector<float> x(3), y(1);
  generator.normal(x, 3.7, 2.1);
  generator.normal(y, 3.7, 2.1);
  EXPECT_EQ(bits(x), (std::vector<std::uint32_t>{0x4059121c, 0x40ab3a8c, 0x40b606c3}));
  EXPECT_EQ(bits(y), (std::vector<std::uint32_t>{0x3fae1078}));
}

// torch.empty(n, dtype=torch.float64).normal_(3.7, 2.1): own functions, so not to the bit
TEST(Random, NormalOfTorchInF64) {
  const auto expect_close = [](const std::vector<double>& expected) {
    std::vector<double> x(expected.size());
    Generator(7, Rng::torch).normal(x, 3.7, 2.1);
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], expected[i], 1e-14) << i;
  };
  expect_close({3.3917302952815103, 5.350896727319426, 5.688325378908309});
  expect_close({3.839161833295449, 3.088812910985283, 4.661835602532763, 7.25587745045545,
                6.760655369658725, 7.757651206021616, 0.6721906152201861, 5.228296730530565,
                0.9423857185584928, -1.4014290040749349, 3.380523590663292, -1.9509259229720914,
                7.358420565440334, 2.5996818565039894, 3.103854120539094, 4.650408554412162,
                0.19776881811095914});
}

TEST(Random, SeedingForgetsTheCachedNormal) {
  for (const Rng rng : {Rng::native, Rng::torch}) {
    Generator generator(7, rng);
    std::vector<float> first(1), again(1);
    generator.normal(first, 0, 1);
    generator.manual_seed(7);
    generator.normal(again, 0, 1);
    EXPECT_EQ(first, again);
  }
}

// torch.manual_seed(2**40 + 3), and 3: torch.randperm(12); only the low 32 bits of a seed count
TEST(Random, PermutationOfTorch) {
  const std::vector<std::int64_t> expected{10, 9, 1, 6, 4, 11, 3, 7, 2, 0, 8, 5};
  EXPECT_EQ(Generator(3, Rng::torch).permutation(12), expected);
  EXPECT_EQ(Generator((std::uint64_t{1} << 40) + 3, Rng::torch).permutation(12), expected);
}

TEST(Random, PermutationHoldsEveryIndexOnce) {
  for (const std::int64_t n : {0, 1, 2, 1000}) {
    auto order = Generator(1).permutation(n);
    std::sort(order.begin(), order.end());
    std::vector<std::int64_t> expected(static_cast<std::size_t>(n));
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(order, expected);
  }
}

// torch.manual_seed(7); torch.empty((), dtype=torch.int64).random_(), twice
TEST(Random, Int64OfTorch) {
  Generator generator(7, Rng::torch);
  EXPECT_EQ(generator.random_i64(), 1407639518939636932);
  EXPECT_EQ(generator.random_i64(), 5163590386780219894);
}

// A range of few numbers, where rounding would often give the upper end itself.
TEST(Random, UniformNeverGivesItsUpperEnd) {
  const double low = 1, high = 1 + 4 * 0x1p-23;
  std::vector<float> x(4000);
  Generator(1).uniform(x, low, high);
  EXPECT_EQ(*std::min_element(x.begin(), x.end()), static_cast<float>(low));
  EXPECT_LT(*std::max_element(x.begin(), x.end()), static_cast<float>(high));
}

// Of 2^16 standard normals the mean has a standard error of 1/256, the variance one of sqrt(2)/256.
TEST(Random, NativeNormalsHaveTheirMoments) {
  std::vector<double> x(1 << 16);
  Generator(1).normal(x, 0, 1);
  const double n = static_cast<double>(x.size());
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
  const double square = std::inner_product(x.begin(), x.end(), x.begin(), 0.0) / n;
  EXPECT_NEAR(mean, 0, 4.0 / 256);
  EXPECT_NEAR(square, 1, 4 * std::sqrt(2.0) / 256);
}

TEST(Random, BadArgumentsAreRefused) {
  Generator generator(0);
  std::vector<float> x(2);
  EXPECT_THROW(generator.uniform(x, 1, 0), ValueError);
  EXPECT_THROW(generator.uniform(x, -1e300, 1e300), ValueError);
  EXPECT_THROW(generator.uniform(x, 0, std::numeric_limits<double>::quiet_NaN()), ValueError);
  EXPECT_THROW(generator.normal(x, 0, -1), ValueError);
  EXPECT_THROW(generator.normal(x, 0, std::numeric_limits<double>::infinity()), ValueError);
  EXPECT_THROW(generator.permutation(-1), ValueError);
  EXPECT_THROW(generator.permutation(std::int64_t{1} << 40), ValueError);
}

TEST(Random, DefaultGeneratorIsSeededByManualSeed) {
  manual_seed(7, Rng::torch);
  EXPECT_EQ(default_generator().rng(), Rng::torch);
  EXPECT_EQ(default_generator().random_i64(), 1407639518939636932);
  manual_seed(0);
  EXPECT_EQ(default_generator().next_u32(), 0x6627e8d5u);
}

// A checkpoint goes on in the middle of a block of words, of a pair of normals, of the children.
TEST(Random, GoesOnFromAState) {
  for (const Rng rng : {Rng::native, Rng::torch})
    for (int drawn = 0; drawn < 700; drawn += 1 + drawn / 5) {
      Generator whole(45, rng);
      for (int i = 0; i < drawn; ++i) whole.next_u32();
      std::vector<double> normal(1);
      if (drawn % 2) whole.normal(normal, 0, 1);
      if (drawn % 3) whole.child_seed();
      Generator resumed(1, Rng::native);
      resumed.load_state(whole.state());
      EXPECT_EQ(resumed.state(), whole.state());
      EXPECT_EQ(resumed.rng(), rng);
      for (int i = 0; i < 5; ++i) {
        std::vector<double> a(1), b(1);
        whole.normal(a, 0, 1);
        resumed.normal(b, 0, 1);
        EXPECT_EQ(a, b);
        EXPECT_EQ(whole.next_u32(), resumed.next_u32());
        EXPECT_EQ(whole.child_seed(), resumed.child_seed());
      }
      EXPECT_EQ(whole.permutation(10), resumed.permutation(10));
    }
}

TEST(Random, AStateThatIsNoneIsRefused) {
  Generator generator(3), same(3);
  const std::string native = generator.state(), torch = Generator(3, Rng::torch).state();
  for (const std::string& text :
       {std::string(), std::string("native"), "other" + native.substr(6), native + " 1",
        native.substr(0, native.rfind(' ')), torch.substr(0, torch.size() / 2),
        native.substr(0, native.rfind(' ')) + " 5"}) {
    EXPECT_THROW(generator.load_state(text), FormatError) << text;
    EXPECT_EQ(generator.state(), native);
  }
  EXPECT_EQ(generator.next_u64(), same.next_u64());
}

}  // namespace
}  // namespace unroll
