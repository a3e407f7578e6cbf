// The kernels: one small table of functions for each instruction set and type.
//
// Kernels work on raw pointers and sizes. They never allocate or throw, and give the same bits on
// every instruction set (docs/numerics.md). Each output of a product is one chain of fused
// multiply-adds. The order is that of the fields below, for any blocking.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/cell.h"
#include "kernels/rows.h"

namespace unroll::kernels {

/// Whether kernels for training are compiled. libunroll_infer.so lacks them and their callers; the
/// kernels are compiled once more for it.
#ifdef UNROLL_INFERENCE
inline constexpr bool kTraining = false;
#else
inline constexpr bool kTraining = true;
#endif

/// The function applied to a complete sum, before the store.
enum class Epilogue {
  none,             ///< y = s
  relu,             ///< y = s < 0 ? 0 : s (NaN stays NaN)
  tanh,             ///< y = tanh(s)
  relu_derivative,  ///< y = saved <= 0 ? 0 : s, with saved = relu's output
  tanh_derivative,  ///< y = (1 - saved^2) s, with saved = tanh's output
  add,              ///< y = ... + (saved 1 + (saved 0 + s)), with saved_count matrices
};

/// The sum of a(row, k, r) * b(k, column, r) over r < repeat and k < depth, in that order. Strides
/// count elements. Columns of b are adjacent.
template <class T>
struct Product {
  const T* a = nullptr;
  std::ptrdiff_t a_row = 0, a_k = 1;
  const T* b = nullptr;
  std::ptrdiff_t b_k = 0;
  std::size_t depth = 0;
  std::size_t repeat = 1;
  std::ptrdiff_t a_repeat = 0, b_repeat = 0;
  // For gemm_bf16 (kernels/bf16.h): b rounded to pairs, and the distance between their rows.
  const std::uint32_t* b_pairs = nullptr;
  std::size_t b_pairs_row = 0;
};

/// out(row, column) = epilogue(init(row, column) + product 0 + product 1).
template <class T>
struct Gemm {
  std::size_t rows = 0, columns = 0;
  Product<T> products[2];
  int count = 0;            ///< products in use: 0, 1 or 2
  const T* init = nullptr;  ///< start of each chain; nullptr: 0. May be `out`
  std::ptrdiff_t init_row = 0;
  T* out = nullptr;
  std::ptrdiff_t out_row = 0;
  Epilogue epilogue = Epilogue::none;
  const T* saved = nullptr;  ///< (rows, columns), for derivatives and `add`
  std::ptrdiff_t saved_row = 0;
  std::size_t saved_count = 0;    ///< for `add`, which must not add `out`
  std::ptrdiff_t saved_next = 0;  ///< from one matrix to the next
  /// offset from a row of b to the data read after it; set by the kernel
  std::ptrdiff_t ahead = 0;
};

/// out (rows, columns) = a (rows, depth) b (depth, columns), all row-major without gaps.
template <class T>
Gemm<T> dense_product(std::size_t rows, std::size_t depth, std::size_t columns, const T* a,
                      const T* b, T* out) noexcept {
  Gemm<T> g;
  g.rows = rows;
  g.columns = columns;
  g.count = 1;
  g.products[0].a = a;
  g.products[0].a_row = static_cast<std::ptrdiff_t>(depth);
  g.products[0].b = b;
  g.products[0].b_k = static_cast<std::ptrdiff_t>(columns);
  g.products[0].depth = depth;
  g.out = out;
  g.out_row = static_cast<std::ptrdiff_t>(columns);
  return g;
}

/// The product with a transposed in memory: (depth, rows).
template <class T>
Gemm<T> transposed_product(std::size_t rows, std::size_t depth, std::size_t columns, const T* a,
                           const T* b, T* out) noexcept {
  Gemm<T> g = dense_product(rows, depth, columns, a, b, out);
  g.products[0].a_row = 1;
  g.products[0].a_k = static_cast<std::ptrdiff_t>(rows);
  return g;
}

/// out (columns) = the sum of the rows of x (rows, columns), as a product with a row of ones.
template <class T>
Gemm<T> column_sums(std::size_t rows, std::size_t columns, const T* x, T* out) noexcept {
  static constexpr T one = 1;
  Gemm<T> g = dense_product(1, rows, columns, &one, x, out);
  g.products[0].a_k = 0;
  return g;
}

/// Parameters of a mask: an element is kept if its word of Philox is below `limit`. Counter k has
/// the words (k, counter) and gives four numbers.
struct Bernoulli {
  std::array<std::uint32_t, 3> counter;
  std::array<std::uint32_t, 2> key;
  std::uint64_t limit;
};

template <class T>
struct Kernels {
  void (*gemm)(const Gemm<T>&) noexcept;
  void (*exp)(const T* in, T* out, std::size_t count) noexcept;
  void (*tanh)(const T* in, T* out, std::size_t count) noexcept;
  const CellKernels<T>* cells;  // kCells entries, in the order of Cell
  const RowKernels<T>& rows;
  /// Writes four numbers for each of the counters begin .. end - 1.
  void (*bernoulli)(const Bernoulli&, std::uint32_t begin, std::uint32_t end, T one,
                    T* out) noexcept;
  /// 64 bits that tell whether numbers have changed since. Several arrays are chained: the
  /// fingerprint of one is the seed of the next.
  std::uint64_t (*fingerprint)(const T* numbers, std::size_t count, std::uint64_t seed) noexcept;
};

/// The table of the instruction set in use. T is float or double.
/// Throws ValueError at the first call if UNROLL_ISA names a level that this CPU lacks.
template <class T>
const Kernels<T>& table();

/// The instruction set in use: "avx512", "avx2", "neon" or "scalar". It is the best of this CPU, or
/// the one in the environment variable UNROLL_ISA.
const char* instruction_set();

/// All instruction sets of this CPU, best first. Ignores UNROLL_ISA.
std::vector<const char*> instruction_sets();

}  // namespace unroll::kernels
