// The sum of a few blocks of numbers. A fixed tree makes its bits depend only on the number of
// blocks.
#pragma once

#include "core/parallel.h"

namespace unroll::kernels {

/// Adds `count` blocks of `size` numbers pairwise, on all threads: 0+1, 2+3, ..., then 0+2, ....
/// The first block gets the sum.
template <class T>
void add_blocks(T* blocks, std::size_t count, std::size_t size) noexcept {
  constexpr std::size_t kPiece = 1024;
  parallel_pieces(size, kPiece, [&](std::size_t begin, std::size_t end) {
    for (std::size_t distance = 1; distance < count; distance *= 2)
      for (std::size_t i = 0; i + distance < count; i += 2 * distance) {
        T* const to = blocks + i * size;
        const T* const from = blocks + (i + distance) * size;
        for (std::size_t e = begin; e < end; ++e) to[e] += from[e];
      }
  });
}

}  // namespace unroll::kernels
