// How what reading costs grows with what is read.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>

#include "cost/counter.h"
#include "unroll/core/error.h"

namespace unroll::test {

/// What a reader was given, and what it cost.
struct Reading {
  std::size_t size = 0;  ///< bytes of the file
  Cost cost = {};
};

/// The cost of reading, which may end with a refusal.
template <class F>
Reading reading(std::size_t size, F&& read) {
  return {size, cost_of([&] {
            try {
              read();
            } catch (const Error&) {
            }
          })};
}

/// Reads a file of n things and one of twice as many: the second may cost at most 2.5 times as much
/// (n log n does, n^2 costs 4 times as much). `blocks` and `memory` are the most for a byte of the
/// file: a loop over hundreds of layers is linear, too, but slow. A second has about 10^9 blocks,
/// so that 10 for a byte are a second for 100 MB.
template <class F>
void expect_linear(std::size_t n, F&& read, double blocks, double memory = 10) {
  read(n);  // what is made once and kept
  const Reading one = read(n), two = read(2 * n);
  ASSERT_GT(one.cost.blocks, 0u) << "the reader is not built with -fsanitize-coverage=trace-pc";
  constexpr std::uint64_t kStart = 20'000;  // of blocks, and of bytes: for any file
  EXPECT_LE(two.cost.blocks, 2.5 * static_cast<double>(one.cost.blocks) + kStart);
  EXPECT_LE(static_cast<double>(two.cost.bytes),
            2.5 * static_cast<double>(one.cost.bytes) + kStart);
  EXPECT_LE(two.cost.blocks, blocks * static_cast<double>(two.size) + kStart);
  EXPECT_LE(static_cast<double>(two.cost.bytes), memory * static_cast<double>(two.size) + kStart);
  const auto a_byte = [&](auto cost) {
    return static_cast<double>(cost) / static_cast<double>(two.size);
  };
  std::printf(
      "%zu bytes: %.1f blocks and %.1f bytes of memory for each (%.2f times as many blocks as for "
      "half)\n",
      two.size, a_byte(two.cost.blocks), a_byte(two.cost.bytes),
      static_cast<double>(two.cost.blocks) / static_cast<double>(one.cost.blocks));
}

}  // namespace unroll::test
