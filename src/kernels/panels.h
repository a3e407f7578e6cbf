// Matrices as the blocks of a product read them.
#pragma once

#include <algorithm>
#include <cstddef>

namespace unroll::kernels {

/// The columns of a matrix in panels, one panel after the other and each row by row: a block of a
/// product then reads adjacent memory, few pages, and what comes next is known. Small matrices,
/// which stay in a core's cache, are one panel as wide as they are.
struct Panels {
  static constexpr std::size_t kWidth = 64;  // the widest block: 4 vectors of 16 lanes

  /// Element (row, column) is at place(column) + row * width.
  std::size_t place(std::size_t column) const { return column / width * stride + column % width; }

  /// f(begin, end) for the parts of columns [begin, end) that lie in one panel each.
  template <class F>
  void for_parts(std::size_t begin, std::size_t end, F f) const {
    while (begin < end) {
      const std::size_t next = std::min(end, (begin / width + 1) * width);
      f(begin, next);
      begin = next;
    }
  }

  /// How many hold so many columns, and their elements.
  std::size_t count(std::size_t columns) const { return (columns + width - 1) / width; }
  std::size_t size(std::size_t columns) const { return count(columns) * stride; }

  std::size_t width;   // columns of a panel, and the elements between its rows
  std::size_t stride;  // elements between panels
};

}  // namespace unroll::kernels
