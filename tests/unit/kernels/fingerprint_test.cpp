// The fingerprint of numbers: that of a plain loop, and another one after any change.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <utility>

#include "support/kernel_test.h"

namespace unroll::kernels {
namespace {

using test::random_values;

class FingerprintKernel : public test::KernelTest {};

/// As the head of kernels/fingerprint-inl.h says.
template <class T>
std::uint64_t plain_fingerprint(const std::vector<T>& numbers, std::uint64_t seed) {
  const std::size_t size = numbers.size() * sizeof(T);
  std::vector<std::uint64_t> words((size + 255) / 256 * 32);
  if (size > 0) std::memcpy(words.data(), numbers.data(), size);
  std::array<std::uint64_t, 32> sums{};
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = seed + i;
  for (std::size_t w = 0; w < words.size(); ++w) {
    const std::uint64_t v = words[w], i = w % 32, b = w / 32;
    const std::uint64_t x =
        v ^ (0xBE4BA423396CFEB8u + i % 8 + (b + 1) * std::uint64_t{0x9E3779B97F4A7C15u});
    sums[i] += (x & 0xffffffffu) * (x >> 32) + (v << 32 | v >> 32);
  }
  std::uint64_t result = seed ^ size;
  for (const std::uint64_t sum : sums)
    result = (result ^ sum ^ (result >> 31)) * 0x9FB21C651E98DF25u;
  return result ^ (result >> 29);
}

template <class T>
std::uint64_t fingerprint(const std::vector<T>& numbers, std::uint64_t seed = 1) {
  return table<T>().fingerprint(numbers.data(), numbers.size(), seed);
}

template <class T>
void expect_plain_fingerprint() {
  for (std::size_t count = 0; count < 300; ++count) {
    const auto numbers = random_values<T>(count, count);
    for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{0x8000000000000001u}})
      ASSERT_EQ(fingerprint(numbers, seed), plain_fingerprint(numbers, seed)) << count;
  }
}

/// A flipped bit, and two numbers that change places, give fingerprints that are all different.
template <class T>
void expect_changes_show() {
  Generator generator(7);
  for (const std::size_t count : {std::size_t{1}, std::size_t{63}, std::size_t{30000}}) {
    auto numbers = random_values<T>(count, 5);
    auto* const bytes = reinterpret_cast<unsigned char*>(numbers.data());
    std::set<std::size_t> bits;
    std::set<std::pair<std::size_t, std::size_t>> pairs;
    std::set<std::uint64_t> seen{fingerprint(numbers)};
    for (int i = 0; i < 2000; ++i) {
      const std::size_t bit = generator.next_u64() % (count * sizeof(T) * 8);
      const auto flip = [&] { bytes[bit / 8] ^= static_cast<unsigned char>(1u << bit % 8); };
      flip();
      ASSERT_EQ(seen.insert(fingerprint(numbers)).second, bits.insert(bit).second) << bit;
      flip();
      const std::size_t a = generator.next_u64() % count, b = generator.next_u64() % count;
      if (numbers[a] == numbers[b]) continue;
      std::swap(numbers[a], numbers[b]);
      ASSERT_EQ(seen.insert(fingerprint(numbers)).second, pairs.insert(std::minmax(a, b)).second)
          << a << " and " << b;
      std::swap(numbers[a], numbers[b]);
    }
  }
}

TEST_F(FingerprintKernel, IsThatOfAPlainLoop) {
  expect_plain_fingerprint<float>();
  expect_plain_fingerprint<double>();
}

TEST_F(FingerprintKernel, ShowsEveryChange) {
  expect_changes_show<float>();
  expect_changes_show<double>();
}

TEST_F(FingerprintKernel, NumbersThatAreZeroCountToo) {
  std::set<std::uint64_t> seen;
  for (std::size_t count = 0; count < 200; ++count)
    EXPECT_TRUE(seen.insert(fingerprint(std::vector<float>(count))).second) << count;
}

}  // namespace
}  // namespace unroll::kernels
