// The kernels behind everything: one small table of functions per instruction set and type.
//
// Kernels work on raw pointers and sizes, never allocate, never throw, and give the same bits on
// every instruction set (docs/numerics.md): each output of a product is one chain of fused
// multiply-adds in the order that the fields below spell out, whatever the blocking.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/cell.h"
#include "kernels/rows.h"

namespace unroll::kernels {

/// Whether kernels that only training calls are there. They are not in libunroll_infer.so, for
/// which the kernels are compiled once more, nor is what calls them.
#ifdef UNROLL_INFERENCE
inline constexpr bool kTraining = false;
#else
inline constexpr bool kTraining = true;
#endif

/// What happens to an output once its sum is complete, at the store.
enum class Epilogue {
  none,             ///< y = s
  relu,             ///< y = s < 0 ? 0 : s (NaN stays NaN)
  tanh,             ///< y = tanh(s)
  relu_derivative,  ///< y = saved <= 0 ? 0 : s, with saved = relu's output
  tanh_derivative,  ///< y = (1 - saved^2) s, with saved = tanh's output
};

/// The sum over r < repeat, over k < depth, of a(row, k, r) * b(k, column, r), in that order.
/// Strides count elements; b's columns are adjacent.
template <class T>
struct Product {
  const T* a = nullptr;
  std::ptrdiff_t a_row = 0, a_k = 1;
  const T* b = nullptr;
  std::ptrdiff_t b_k = 0;
  std::size_t depth = 0;
  std::size_t repeat = 1;
  std::ptrdiff_t a_repeat = 0, b_repeat = 0;
  // b once more for gemm_bf16 (kernels/bf16.h), rounded to pairs in rows so far apart.
  const std::uint32_t* b_pairs = nullptr;
  std::size_t b_pairs_row = 0;
};

/// out(row, column) = epilogue(init(row, column) + product 0 + product 1).
template <class T>
struct Gemm {
  std::size_t rows = 0, columns = 0;
  Product<T> products[2];
  int count = 0;            ///< products in use: 0, 1 or 2
  const T* init = nullptr;  ///< where each chain starts; nullptr: 0. May be `out`.
  std::ptrdiff_t init_row = 0;
  T* out = nullptr;
  std::ptrdiff_t out_row = 0;
  Epilogue epilogue = Epilogue::none;
  const T* saved = nullptr;  ///< what a derivative looks at, (rows, columns)
  std::ptrdiff_t saved_row = 0;
  std::ptrdiff_t ahead = 0;  ///< from a row of b to what is read after it: the kernel's own
};

/// out (rows, columns) = a (rows, depth) times b (depth, columns), all row by row without gaps.
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

/// The same with a given as its transpose, (depth, rows) in memory.
template <class T>
Gemm<T> transposed_product(std::size_t rows, std::size_t depth, std::size_t columns, const T* a,
                           const T* b, T* out) noexcept {
  Gemm<T> g = dense_product(rows, depth, columns, a, b, out);
  g.products[0].a_row = 1;
  g.products[0].a_k = static_cast<std::ptrdiff_t>(rows);
  return g;
}

/// out (columns) = the sum of x's rows, as a row of ones times x (rows, columns).
template <class T>
Gemm<T> column_sums(std::size_t rows, std::size_t columns, const T* x, T* out) noexcept {
  static constexpr T one = 1;
  Gemm<T> g = dense_product(1, rows, columns, &one, x, out);
  g.products[0].a_k = 0;
  return g;
}

/// Which zeros and ones: one where a word of Philox is below the limit. Counter k has the words
/// (k, counter), and gives four numbers.
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
  const CellKernels<T>* cells;  // kCells of them, in the order of Cell
  const RowKernels<T>& rows;
  /// Of the counters begin .. end - 1, four numbers each.
  void (*bernoulli)(const Bernoulli&, std::uint32_t begin, std::uint32_t end, T one,
                    T* out) noexcept;
};

/// The table of the instruction set in use; T is float or double.
/// Throws ValueError the first time when UNROLL_ISA names a level that this CPU lacks.
template <class T>
const Kernels<T>& table();

/// The instruction set in use: "avx512", "avx2", "neon" or "scalar".
/// The best that the CPU has, or what the variable UNROLL_ISA says.
const char* instruction_set();

/// All that this CPU has, best first, whatever UNROLL_ISA says.
std::vector<const char*> instruction_sets();

}  // namespace unroll::kernels
