// The layout of matrices for the blocks of a product.
#pragma once

#include <algorithm>
#include <cstddef>

namespace unroll::kernels {

/// A matrix cut into panels of columns. Panels follow each other; each is stored row by row. So a
/// block of a product reads adjacent memory in few pages, and can fetch the next piece ahead. A
/// small matrix, which stays in a core's cache, is a single panel.
struct Panels {
  static constexpr std::size_t kWidth = 64;  // the widest block: 4 vectors of 16 lanes

  /// Element (row, column) is at place(column) + row * width.
  std::size_t place(std::size_t column) const { return column / width * stride + column % width; }

  /// Calls f(begin, end) for each part of columns [begin, end) that lies in one panel.
  template <class F>
  void for_parts(std::size_t begin, std::size_t end, F f) const {
    while (begin < end) {
      const std::size_t next = std::min(end, (begin / width + 1) * width);
      f(begin, next);
      begin = next;
    }
  }

  /// The number of panels for this number of columns, and their elements.
  std::size_t count(std::size_t columns) const { return (columns + width - 1) / width; }
  std::size_t size(std::size_t columns) const { return count(columns) * stride; }

  std::size_t width;   // columns of a panel, and elements between its rows
  std::size_t stride;  // elements between panels
};

}  // namespace unroll::kernels
