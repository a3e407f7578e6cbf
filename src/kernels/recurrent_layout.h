// Where things lie in the memory of recurrent layers: packed weights, sums, what forward saves and
// backward's scratch. All in elements, all pure functions of the shape.
#pragma once

#include <type_traits>

#include "kernels/bf16.h"
#include "kernels/panels.h"
#include "kernels/recurrent.h"

namespace unroll::kernels {

/// (depth, columns) as the products of this shape want it: weights that are too large for a core's
/// cache in panels.
Panels panels_of(const RecurrentShape& shape, std::size_t depth, std::size_t columns);

/// The columns of z, the sums of one row and time step. In backward each holds the gradient of its
/// sum.
///
///     [joint | input's | state's]            J H, (G - J) H, (G - J) H columns
///     [input's | state's | joint | ...]      with layer_norm: both parts of all gates before they
///                                            are normalised, then the row above
struct Sums {
  explicit Sums(const RecurrentShape& shape);

  std::size_t gates;         // G H, the rows of both weights
  std::size_t both;          // columns [0, both) are the sum of both products
  std::size_t input_end;     // [both, input_end) of the input's alone, up to G H
  std::size_t products_end;  // [input_end, products_end) of the state's alone
  std::size_t cell;          // where the cell's row begins
  std::size_t row;           // elements between rows

  /// The state's product: columns [column, column + count) go with rows from weight_row on of W_hh.
  struct Part {
    std::size_t column, weight_row, count;
  };
  Part state[2];
  int state_parts;
};

/// forward's weights.
struct PackedLayout {
  explicit PackedLayout(const RecurrentShape& shape);

  std::size_t bias;       // (products_end): where the chains start
  Panels panels;          // of both weights, G H columns: in each the rows of weight_ih come first
  std::size_t weight_ih;  // (I, G H), transposed
  std::size_t weight_hh;  // (H or P, G H), transposed
  std::size_t weight_hr;  // (H, padded_row(P)), transposed
  // Layer normalisation: factors and offsets, the biases added to these.
  std::size_t norm_ih_weight, norm_ih_bias, norm_hh_weight, norm_hh_bias;  // (G H)
  std::size_t norm_c_weight, norm_c_bias;                                  // (H)
  std::size_t pairs;                                                       // of both weights
  std::size_t size;
};

/// What forward keeps of `slots` steps beside h.
struct SavedLayout {
  SavedLayout(const RecurrentShape& shape, std::size_t slots);

  std::size_t hidden_row, output_row;  // between rows of H, and of H or P
  std::size_t z;                       // (slots, N, Sums::row); a fused layer has none
  std::size_t c;                       // (slots, N, hidden_row)
  std::size_t unprojected;             // (slots, N, hidden_row): what is projected to h
  std::size_t masked;                  // (slots, N, output_row): h with its factors
  std::size_t masked_0;                // (N, output_row)
  std::size_t statistics;              // (slots, N, 4): layer_norm's
  std::size_t size;
};

/// Elements of a row of statistics: 1 / deviation of the input's part and of the state's, mean of c
/// and 1 / its deviation.
inline constexpr std::size_t kStatistics = 4;

/// What a step of a stream needs to know of its shape, for once; shape.batch: the most sequences.
struct StepPlan {
  explicit StepPlan(const RecurrentShape& shape) : sums(shape), packed(shape), saved(shape, 1) {}
  Sums sums;
  PackedLayout packed;
  SavedLayout saved;
};

struct ScratchLayout {
  explicit ScratchLayout(const RecurrentShape& shape);

  std::size_t z;                // (T, N, Sums::row) of a fused layer
  std::size_t dh;               // (N, output_row): of h_t
  std::size_t dh_all;           // (T, N, output_row): of h_t before it was projected
  std::size_t dc, unprojected;  // (N, hidden_row): of c_t, and of what is projected
  std::size_t kept_h, kept_c;   // (N, output_row), (N, hidden_row): past the cell, by zoneout
  Panels hh_panels, ih_panels;  // of the next two
  std::size_t weight_hh;        // (G H, H or P), or pairs
  std::size_t weight_ih;        // (G H, I), or pairs
  std::size_t weight_hr;        // (P, padded_row(H))
  std::size_t panels;           // of what a chunk of steps adds to shared gradients
  std::size_t norm;             // (slices, norm_size): the gradients of layer_norm's factors
  std::size_t norm_size;        // factors of both parts, offsets of both (G H each), of c (H each)
  std::size_t size;
};

/// How many chunks of steps go back in time, each followed by its part of the shared gradients,
/// while what that needs is in the cache.
std::size_t shared_chunks(const RecurrentShape& shape);

/// The weights as backward's products want them, into its scratch: rows padded, or as pairs.
template <class T>
void pack_backward(const RecurrentBackward<T>& call) noexcept;

/// step() of a stream whose plan is known.
template <class T>
void step(const RecurrentStep<T>& call, const StepPlan& plan) noexcept;

/// The product of the recurrent layers: table<T>().gemm, or gemm_bf16.
template <class T>
auto product_of(const RecurrentShape& shape) {
  if constexpr (std::is_same_v<T, float>)
    if (shape.bf16) return &gemm_bf16;
  return table<T>().gemm;
}

/// The arithmetic of the shape's cell: of the instruction set in use, or the caller's own row by
/// row.
template <class T>
void cell_forward(const RecurrentShape& shape, const CellForward<T>& call) noexcept;
template <class T>
void cell_backward(const RecurrentShape& shape, const CellBackward<T>& call) noexcept;

/// Room for numbers of type T as room for pairs; both have 32 bits where it is used.
template <class T>
auto as_pairs(T* numbers) {
  using Pairs = std::conditional_t<std::is_const_v<T>, const std::uint32_t, std::uint32_t>;
  return reinterpret_cast<Pairs*>(numbers);
}

}  // namespace unroll::kernels
