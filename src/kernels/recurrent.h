// The driver of recurrent layers over whole sequences, on raw pointers, for one layer in one
// direction.
//
// Rows are independent: a task takes some rows through all time steps, so the threads meet once or
// twice in a pass, not at every step. Only the gradients of the weights are sums over rows: one sum
// for each shard of the batch, and then a fixed tree (core/shards.h). So the bits do not depend on
// the number of threads.
#pragma once

#include <cstddef>
#include <type_traits>

#include "core/shards.h"
#include "kernels/cell.h"
#include "kernels/table.h"
#include "unroll/core/weight_role.h"

namespace unroll::kernels {

struct RecurrentShape {
  Cell cell = Cell::rnn_tanh;
  std::size_t batch = 0;       // N
  std::size_t steps = 0;       // T
  std::size_t input = 0;       // I
  std::size_t hidden = 0;      // H
  std::size_t projection = 0;  // P, the size of a projected h; 0: no projection
  bool bias = true;
  bool reverse = false;        // from the last step of each sequence to the first
  bool layer_norm = false;     // for the input's part, the state's part and c (Ba 2016)
  bool zoneout = false;        // Krueger 2017
  bool state_dropout = false;  // the state has factors in products (Gal 2016)
  bool flush_states = false;   // h and c below kTiny become 0; not for backward
  bool bf16 = false;           // round operands of products to bf16; f32 only, if bf16_available()
  // (N), descending, each from 1 to T; null: all are T.
  const std::size_t* lengths = nullptr;
  const CustomCell* custom = nullptr;  // instead of `cell`
  Shards part = {};                    // of a batch these rows are; without rows: a whole batch

  CellTraits traits() const { return custom ? custom->traits : traits_of(cell); }
  std::size_t gates() const { return traits().gates; }
  std::size_t output() const { return projection ? projection : hidden; }  // elements of h
  Shards shards() const { return part.rows() == batch ? part : Shards(batch); }
  /// Whether the weights and a block of their gradients are too large for a core's cache.
  bool large() const { return gates() * hidden * (input + output()) > (std::size_t{1} << 16); }
  /// Whether the product gives h_t, with the activation applied in registers.
  bool fused() const {
    return (cell == Cell::rnn_relu || cell == Cell::rnn_tanh) && !custom && !layer_norm &&
           !zoneout && !state_dropout && !projection;
  }
};

/// The plan of the computation: a pure function of the shape.
struct RecurrentPlan {
  explicit RecurrentPlan(const RecurrentShape& shape);

  std::size_t packed_size;       // elements of the packed weights
  std::size_t gradient_size;     // elements of one block of gradients
  std::size_t gradient_blocks;   // TilePlan::blocks
  std::size_t backward_scratch;  // elements

  /// Elements that forward saves for `slots` steps besides the states h; may be 0.
  std::size_t saved_size(const RecurrentShape& shape, std::size_t slots) const;
};

/// Elements between rows of `size` numbers: whole cache lines, but not a multiple of 8 lines, so
/// that many rows spread over all sets of the first-level cache.
std::size_t padded_row(std::size_t size) noexcept;

/// The weights in PyTorch's layout. Weights that the shape lacks are null.
template <class T>
using RecurrentWeights = PerRole<const T*>;

/// The number of elements of a weight; 0 if the layer has none of this role.
std::size_t weight_size(const RecurrentShape& shape, WeightRole role) noexcept;

/// Offsets of the weights' gradients in a block.
struct GradientLayout {
  explicit GradientLayout(const RecurrentShape& shape);
  // Weights with equal gradients share a place: both biases if all gates are joint, and a bias with
  // the bias of its normalisation.
  PerRole<std::size_t> place;
  std::size_t size;
  // weight_ih's (j, i) is at j * ih_row + i * ih_column. A narrow weight_ih is transposed, so that
  // its rows fill vectors. The others are row-major.
  std::size_t ih_row, ih_column;
};

/// Transposes the weights for forward and adds the biases. `packed` has plan.packed_size elements;
/// for bf16 its memory must be whole cache lines.
template <class T>
void pack(const RecurrentShape& shape, const RecurrentWeights<T>& weights, T* packed) noexcept;

/// A sequence of matrices: element (t, n, j) is at t * step + n * row + j. Or, if each step has
/// only the rows of sequences that are so long, at (first_row[t] + n) * row + j.
template <class T>
struct Sequence {
  T* data = nullptr;
  std::ptrdiff_t step = 0, row = 0;
  const std::size_t* first_row = nullptr;  // (T), as in PyTorch's PackedSequence; or null

  T* at(std::size_t t, std::size_t n) const {
    return data + offset(t) + static_cast<std::ptrdiff_t>(n) * row;
  }
  /// The place of row (t, 0).
  std::ptrdiff_t offset(std::size_t t) const {
    return first_row ? static_cast<std::ptrdiff_t>(first_row[t]) * row
                     : static_cast<std::ptrdiff_t>(t) * step;
  }
  operator Sequence<const T>() const requires(!std::is_const_v<T>) {
    return {data, step, row, first_row};
  }
};

/// Masks and rates of the regularisers. Null, or a rate of 0, means none.
template <class T>
struct RecurrentMasks {
  const T* state = nullptr;     // (N, H or P): factors of h_{t-1} in products, for all steps
  Sequence<const T> candidate;  // (T, N, H): factors of the candidate (Semeniuta 2016)
  // Zoneout: shares of the old state that stay, (T, N, H or P) and (T, N, H). Without masks the
  // rates are used.
  Sequence<const T> zone_h, zone_c;
  T zone_h_rate = 0, zone_c_rate = 0;
};

template <class T>
struct RecurrentForward {
  RecurrentShape shape;
  const T* packed = nullptr;
  Sequence<const T> input;  // (T, N, I)
  const T* h_0 = nullptr;   // (N, H or P), or null for zeros
  const T* c_0 = nullptr;   // (N, H), or null for zeros
  // The states; step t is at t % slots. If slots is T, zeros follow the end of a sequence.
  Sequence<T> output;  // (slots, N, H or P)
  std::size_t slots = 0;
  T* saved = nullptr;           // plan.saved_size(shape, saved_slots)
  std::size_t saved_slots = 0;  // T if backward follows, else at least 2
  T* h_n = nullptr;             // (N, H or P), or null: the state after each sequence's last step
  T* c_n = nullptr;             // (N, H), or null
  RecurrentMasks<T> masks;
};

/// The forward pass. Each sum is one chain: bias, inputs ascending, state ascending. Throws the
/// errors of table().
template <class T>
void forward(const RecurrentForward<T>& call);

/// One time step of a few sequences, on the caller's thread, without masks.
template <class T>
struct RecurrentStep {
  RecurrentShape shape;  // batch is the number of sequences; steps and lengths are not used
  const T* packed = nullptr;
  const T* input = nullptr;  // (N, I)
  std::ptrdiff_t input_row = 0;
  const T* h = nullptr;                // (N, H or P) without gaps; null means zeros
  T* next_h = nullptr;                 // must not be h
  const T* c = nullptr;                // (N, H); null means zeros
  T* next_c = nullptr;                 // may be c, except with zoneout
  T* scratch = nullptr;                // plan.saved_size(shape, 1)
  T zone_h_rate = 0, zone_c_rate = 0;  // shares of the old states that zoneout keeps
};

/// One time step, with the bits of forward.
template <class T>
void step(const RecurrentStep<T>& call) noexcept;

template <class T>
struct RecurrentBackward {
  RecurrentShape shape;
  RecurrentWeights<T> weights;
  Sequence<const T> input;
  const T* h_0 = nullptr;
  const T* c_0 = nullptr;
  Sequence<const T> output;  // from forward, all T steps
  T* saved = nullptr;        // from forward; overwritten here
  RecurrentMasks<T> masks;
  const T* packed = nullptr;  // with layer_norm only
  // The gradient of the output, for grad_count steps from grad_first on. Step t is at t -
  // grad_first.
  Sequence<const T> grad_output;
  std::size_t grad_first = 0, grad_count = 0;
  // (G H, H or P): factors of weight_hh, or null. Its gradient is multiplied by them, for each
  // shard.
  const T* weight_hh_factors = nullptr;
  const T* grad_h_n = nullptr;  // (N, H or P) or null
  const T* grad_c_n = nullptr;  // (N, H) or null
  Sequence<T> grad_input;       // null if not needed; not written past the end of a sequence
  T* grad_h_0 = nullptr;        // (N, H or P) or null
  T* grad_c_0 = nullptr;        // (N, H) or null
  T* gradients = nullptr;       // (gradient_blocks, gradient_size); the first gets the result
  T* scratch = nullptr;         // backward_scratch
};

/// Back-propagation through all steps; the exact gradient of forward.
template <class T>
void backward(const RecurrentBackward<T>& call) noexcept;

}  // namespace unroll::kernels
