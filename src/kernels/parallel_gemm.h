// Matrix products on all threads.
#pragma once

#include <algorithm>

#include "core/parallel.h"
#include "kernels/table.h"

namespace unroll::kernels {

/// Whether a product is large enough for several threads.
template <class T>
bool worth_sharing(const Gemm<T>& g) noexcept {
  constexpr std::size_t kWorthSharing = std::size_t{1} << 17;  // multiplications
  std::size_t work = 0;
  for (int i = 0; i < g.count; ++i) work += g.products[i].depth * g.products[i].repeat;
  return work * g.rows * g.columns >= kWorthSharing;
}

/// The number of blocks of rows that the threads share.
template <class T>
std::size_t row_blocks(const Gemm<T>& g) noexcept {
  constexpr std::size_t kRows = 24;  // smallest number of rows in a block
  return worth_sharing(g) ? std::max<std::size_t>(g.rows / kRows, 1) : 1;
}

/// The part of a product with `rows` rows from `row` on, and the columns from `column` on.
template <class T>
Gemm<T> part_of(Gemm<T> g, std::size_t row, std::size_t rows, std::size_t column) noexcept {
  const auto down = static_cast<std::ptrdiff_t>(row), right = static_cast<std::ptrdiff_t>(column);
  g.rows = rows;
  g.columns -= column;
  for (int i = 0; i < g.count; ++i) {
    g.products[i].a += down * g.products[i].a_row;
    g.products[i].b += right;
  }
  if (g.init) g.init += down * g.init_row + right;
  if (g.saved) g.saved += down * g.saved_row + right;
  g.out += down * g.out_row + right;
  return g;
}

/// table<T>().gemm in blocks of rows on all threads. Every output is still one chain of sums, so
/// the bits are the same. Throws the errors of table().
template <class T>
void parallel_gemm(const Gemm<T>& g) {
  const Kernels<T>& kernels = table<T>();
  const std::size_t blocks = row_blocks(g);
  if (blocks == 1) return kernels.gemm(g);
  parallel(blocks, [&](std::size_t index) {
    const std::size_t first = index * g.rows / blocks, end = (index + 1) * g.rows / blocks;
    kernels.gemm(part_of(g, first, end - first, 0));
  });
}

/// parallel_gemm for a product that is symmetric to the bit, such as x^T x or its square. Each
/// block of rows copies its part left of the diagonal from the blocks above.
template <class T>
void parallel_symmetric_gemm(const Gemm<T>& g) {
  const Kernels<T>& kernels = table<T>();
  const std::size_t blocks = row_blocks(g), stride = static_cast<std::size_t>(g.out_row);
  if (blocks == 1) return kernels.gemm(g);
  parallel(blocks, [&](std::size_t index) {
    const std::size_t first = index * g.rows / blocks, end = (index + 1) * g.rows / blocks;
    kernels.gemm(part_of(g, first, end - first, first));
    for (std::size_t column = end; column < g.columns; ++column)
      for (std::size_t row = first; row < end; ++row)
        g.out[column * stride + row] = g.out[row * stride + column];
  });
}

}  // namespace unroll::kernels
