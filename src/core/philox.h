// Philox 4x32-10: random bits as a pure function of a counter and a key.
#pragma once

#include <array>
#include <cstdint>

namespace unroll {

inline constexpr std::uint32_t kPhiloxFactors[] = {0xd2511f53, 0xcd9e8d57};
inline constexpr std::uint32_t kPhiloxKeySteps[] = {0x9e3779b9, 0xbb67ae85};

/// Ten rounds of Philox with four 32-bit words. Different counters or keys give independent words.
/// So any thread may draw any number, in any order.
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (and Random123).
constexpr std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                              std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product_0 = std::uint64_t{kPhiloxFactors[0]} * counter[0];
    const std::uint64_t product_1 = std::uint64_t{kPhiloxFactors[1]} * counter[2];
    counter = {static_cast<std::uint32_t>(product_1 >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product_1),
               static_cast<std::uint32_t>(product_0 >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product_0)};
    key[0] += kPhiloxKeySteps[0];
    key[1] += kPhiloxKeySteps[1];
  }
  return counter;
}

/// philox() with 64-bit halves, low word first. Generator draws from it; `high` is the stream.
constexpr std::array<std::uint32_t, 4> philox(std::uint64_t low, std::uint64_t high,
                                              std::uint64_t key) {
  const auto low_word = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high_word = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  return philox(std::array{low_word(low), high_word(low), low_word(high), high_word(high)},
                std::array{low_word(key), high_word(key)});
}

}  // namespace unroll
