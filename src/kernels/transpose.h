// Transposition in memory.
#pragma once

#include <algorithm>
#include <cstddef>

namespace unroll::kernels {

/// from (rows, columns) without gaps to its transpose, whose rows are `to_row` elements apart; tile
/// by tile, so that both sides stay in the cache.
template <class T>
void transpose(const T* from, std::size_t rows, std::size_t columns, T* to,
               std::size_t to_row) noexcept {
  constexpr std::size_t kTile = 32;
  for (std::size_t c = 0; c < columns; c += kTile)
    for (std::size_t r = 0; r < rows; r += kTile)
      for (std::size_t column = c; column < std::min(columns, c + kTile); ++column)
        for (std::size_t row = r; row < std::min(rows, r + kTile); ++row)
          to[column * to_row + row] = from[row * columns + column];
}

}  // namespace unroll::kernels
