// Memory layouts of recurrent layers: packed weights, sums, saved values and backward's scratch.
// All offsets and sizes are in elements, and are pure functions of the shape.
#pragma once

#include <type_traits>

#include "kernels/bf16.h"
#include "kernels/panels.h"
#include "kernels/recurrent.h"

namespace unroll::kernels {

/// The layout of a weight (depth, columns): in panels if the weights are too large for a core's
/// cache.
Panels panels_of(const RecurrentShape& shape, std::size_t depth, std::size_t columns);

/// The columns of z, the sums of one row and time step. In backward each holds the gradient of its
/// sum.
///
///     [joint | input's | state's]            J H, (G - J) H, (G - J) H columns
///     [input's | state's | joint | ...]      with layer_norm: both parts of all gates before they
///                                            are normalised, then the row above
struct Sums {
  explicit Sums(const RecurrentShape& shape);

  std::size_t gates;         // G H, rows of both weights
  std::size_t both;          // columns [0, both) are the sum of both products
  std::size_t input_end;     // [both, input_end), up to G H: only the input's product
  std::size_t products_end;  // [input_end, products_end): only the state's product
  std::size_t cell;          // begin of the cell's row
  std::size_t row;           // elements between rows

  /// The state's product: columns [column, column + count) belong to rows from weight_row on of
  /// W_hh.
  struct Part {
    std::size_t column, weight_row, count;
  };
  Part state[2];
  int state_parts;
};

/// forward's weights.
struct PackedLayout {
  explicit PackedLayout(const RecurrentShape& shape);

  std::size_t bias;  // (products_end): start of the chains of sums
  // layout of both weights, G H columns; in each panel the rows of weight_ih come first
  Panels panels;
  std::size_t weight_ih;  // (I, G H), transposed
  std::size_t weight_hh;  // (H or P, G H), transposed
  std::size_t weight_hr;  // (H, padded_row(P)), transposed
  // Layer normalisation: weights and biases; the layer's biases are added to the latter.
  std::size_t norm_ih_weight, norm_ih_bias, norm_hh_weight, norm_hh_bias;  // (G H)
  std::size_t norm_c_weight, norm_c_bias;                                  // (H)
  std::size_t pairs;                                                       // both weights as pairs
  std::size_t size;
};

/// The values that forward saves for `slots` steps besides h.
struct SavedLayout {
  SavedLayout(const RecurrentShape& shape, std::size_t slots);

  std::size_t hidden_row, output_row;  // elements between rows of H, and of H or P
  std::size_t z;                       // (slots, N, Sums::row); absent in a fused layer
  std::size_t c;                       // (slots, N, hidden_row)
  std::size_t unprojected;             // (slots, N, hidden_row): h before projection
  std::size_t masked;                  // (slots, N, output_row): h times its factors
  std::size_t masked_0;                // (N, output_row)
  std::size_t statistics;              // (slots, N, 4), with layer_norm
  std::size_t size;
};

/// Elements in a row of statistics: 1 / deviation of the input's part, 1 / deviation of the state's
/// part, mean of c, 1 / deviation of c.
inline constexpr std::size_t kStatistics = 4;

/// The layouts for steps of a stream, computed once. shape.batch is the largest number of
/// sequences.
struct StepPlan {
  explicit StepPlan(const RecurrentShape& shape) : sums(shape), packed(shape), saved(shape, 1) {}
  Sums sums;
  PackedLayout packed;
  SavedLayout saved;
};

struct ScratchLayout {
  explicit ScratchLayout(const RecurrentShape& shape);

  std::size_t z;                // (T, N, Sums::row), only in a fused layer
  std::size_t dh;               // (N, output_row): gradient of h_t
  std::size_t dh_all;           // (T, N, output_row): all dh, kept for W_hr's gradient
  std::size_t dc, unprojected;  // (N, hidden_row): gradients of c_t and of h before projection
  // (N, output_row), (N, hidden_row): gradients that zoneout passes by the cell
  std::size_t kept_h, kept_c;
  Panels hh_panels, ih_panels;  // layouts of the next two
  std::size_t weight_hh;        // (G H, H or P), or pairs
  std::size_t weight_ih;        // (G H, I), or pairs
  std::size_t weight_hr;        // (P, padded_row(H))
  std::size_t panels;           // copies of a chunk's operands for the sums in tiles
  std::size_t norm;             // (shards, norm_size): gradients of layer_norm's weights and biases
  std::size_t norm_size;        // weights and biases of both parts (G H each) and of c (H each)
  std::size_t size;
};

/// How the gradients of the weights are summed in tiles, which the threads share.
struct TilePlan {
  explicit TilePlan(const RecurrentShape& shape);

  std::size_t shards;
  /// Chunks of steps. After each chunk backward adds its part of the sums. A single chunk needs
  /// memory for all operands, and computes the tree of a tile while it is in the cache. With more
  /// chunks each shard has a block of gradients.
  std::size_t chunks;
  std::size_t blocks;  // of gradients
  bool in_panels;      // operands are copied to panels
};

/// Copies the weights to backward's scratch in the layout of its products: padded rows, or pairs.
template <class T>
void pack_backward(const RecurrentBackward<T>& call) noexcept;

/// step() for a stream with a known plan.
template <class T>
void step(const RecurrentStep<T>& call, const StepPlan& plan) noexcept;

/// The product of the recurrent layers: table<T>().gemm, or gemm_bf16.
template <class T>
auto product_of(const RecurrentShape& shape) {
  if constexpr (std::is_same_v<T, float>)
    if (shape.bf16) return &gemm_bf16;
  return table<T>().gemm;
}

/// The arithmetic of the shape's cell: the kernel of the instruction set in use, or the caller's
/// cell, row by row.
template <class T>
void cell_forward(const RecurrentShape& shape, const CellForward<T>& call) noexcept;
template <class T>
void cell_backward(const RecurrentShape& shape, const CellBackward<T>& call) noexcept;

/// Memory for numbers of type T as memory for pairs. Used only where both have 32 bits.
template <class T>
auto as_pairs(T* numbers) {
  using Pairs = std::conditional_t<std::is_const_v<T>, const std::uint32_t, std::uint32_t>;
  return reinterpret_cast<Pairs*>(numbers);
}

}  // namespace unroll::kernels
