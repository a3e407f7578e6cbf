// What forward and backward of recurrent layers share: which rows go together, and where their
// memory is.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "core/parallel.h"
#include "kernels/bf16.h"
#include "kernels/recurrent.h"

namespace unroll::kernels {

/// A range of sequences of the batch.
struct Rows {
  std::size_t begin, count;
};

/// Slices first .. last - 1.
inline Rows rows_of_slices(const RecurrentShape& shape, std::size_t slices, std::size_t first,
                           std::size_t last) {
  const std::size_t begin = first * shape.batch / slices;
  return {begin, last * shape.batch / slices - begin};
}

/// How many tasks the slices are dealt out in. Adjacent slices go through time together, because a
/// weight is then used for more rows while it is in the cache; two tasks a thread let a thread with
/// a core of its own help one that shares its core. In large batches a task's states should stay in
/// the first-level cache. Rows don't meet in time, and each slice keeps its own gradients: the
/// number of tasks can't change a bit.
inline std::size_t tasks_for(const RecurrentShape& shape, std::size_t slices) {
  constexpr std::size_t kMostRows = 128;
  const auto threads = static_cast<std::size_t>(threads_here());
  const std::size_t wanted = threads == 1 ? 1 : 2 * threads;
  return std::min(slices, std::max(wanted, shape.batch / kMostRows));
}

/// The packed weights of a layer: bias (S), W_ih^T (I, S), W_hh^T (H, S), and for bf16 the pairs of
/// both.
inline std::size_t packed_layer_size(const RecurrentShape& shape, std::size_t layer,
                                     std::size_t row_stride) {
  const std::size_t inputs = shape.input_of(layer), rows = 1 + inputs + shape.hidden;
  return rows * row_stride +
         (shape.bf16 ? pairs_size(inputs, row_stride) + pairs_size(shape.hidden, row_stride) : 0);
}

/// The product of the recurrent layers: table<T>().gemm, or gemm_bf16.
template <class T>
auto product_of(const RecurrentShape& shape) {
  if constexpr (std::is_same_v<T, float>)
    if (shape.bf16) return &gemm_bf16;
  return table<T>().gemm;
}

/// Room for numbers of type T as room for pairs; both have 32 bits where it is used.
template <class T>
std::uint32_t* as_pairs(T* numbers) {
  return reinterpret_cast<std::uint32_t*>(numbers);
}
template <class T>
const std::uint32_t* as_pairs(const T* numbers) {
  return reinterpret_cast<const std::uint32_t*>(numbers);
}

/// Where the parts of backward's scratch begin.
struct BackwardScratch {
  BackwardScratch(const RecurrentShape& shape, std::size_t row_stride);
  std::size_t dz;          // (T, N, S): the gradient of a layer's sums
  std::size_t from_above;  // (T, N, S): W_ih^T dz of the layer above
  std::size_t start;       // (N, S)
  std::size_t weights;     // for each layer W_hh (H, S) and W_ih (H, padded_row(I)), or pairs
  std::size_t size;
};

}  // namespace unroll::kernels
