// Transposition in memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "core/parallel.h"

namespace unroll::kernels {

/// Transposes `from` (rows, columns), which has no gaps. Rows of the result are `to_row` elements
/// apart. A large matrix is transposed on all threads.
template <class T>
void transpose(const T* from, std::size_t rows, std::size_t columns, T* to,
               std::size_t to_row) noexcept {
  // All rows of a tile may fall into one set of the first-level cache, which holds 8 lines.
  constexpr std::integral_constant<std::size_t, 8> whole_height;
  constexpr std::integral_constant<std::size_t, 16> whole_width;
  constexpr std::size_t kWorthSharing = std::size_t{1} << 15;  // elements
  const auto tile = [&](std::size_t r, std::size_t c, auto height, auto width) {
    for (std::size_t i = 0; i < width; ++i)
      for (std::size_t j = 0; j < height; ++j)
        to[(c + i) * to_row + r + j] = from[(r + j) * columns + c + i];
  };
  const auto strip = [&](std::size_t index) {
    const std::size_t c = index * whole_width,
                      width = std::min<std::size_t>(whole_width, columns - c);
    for (std::size_t r = 0; r < rows; r += whole_height) {
      const std::size_t height = std::min<std::size_t>(whole_height, rows - r);
      if (height == whole_height && width == whole_width)
        tile(r, c, whole_height, whole_width);
      else
        tile(r, c, height, width);
    }
  };
  const std::size_t strips = (columns + whole_width - 1) / whole_width;
  if (rows * columns >= kWorthSharing) return parallel(strips, strip);
  for (std::size_t i = 0; i < strips; ++i) strip(i);
}

}  // namespace unroll::kernels
