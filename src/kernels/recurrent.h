// The driver of recurrent layers over whole sequences, on raw pointers: one layer in one direction.
//
// A batch is cut into slices of rows; each slice goes through all time steps alone, so a pass needs
// one or two meetings of the threads, not one a step. The slices, and how the gradients of the
// weights are summed, follow from the shapes alone: the bits do not depend on the number of
// threads.
#pragma once

#include <cstddef>

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
  std::size_t projection = 0;  // P, the size of h where it is projected; 0: it has H
  bool bias = true;
  bool reverse = false;        // from the last step of each sequence to the first
  bool layer_norm = false;     // of the input's part, the state's part and c (Ba 2016)
  bool zoneout = false;        // Krueger 2017
  bool state_dropout = false;  // the state that goes into products has factors (Gal 2016)
  bool flush_states = false;   // h and c below kTiny are 0; not for backward
  bool bf16 = false;  // round the operands of products to bf16; f32 only, where bf16_available()
  // (N), none greater than the one before it, each from 1 to T; null: all are T.
  const std::size_t* lengths = nullptr;
  const CustomCell* custom = nullptr;  // instead of `cell`

  CellTraits traits() const { return custom ? custom->traits : traits_of(cell); }
  std::size_t gates() const { return traits().gates; }
  std::size_t output() const { return projection ? projection : hidden; }  // elements of h
  /// Whether the weights, and a block of their gradients, are too large for a core's cache.
  bool large() const { return gates() * hidden * (input + output()) > (std::size_t{1} << 16); }
  /// Whether h_t comes straight out of the product, the activation applied in registers.
  bool fused() const {
    return (cell == Cell::rnn_relu || cell == Cell::rnn_tanh) && !custom && !layer_norm &&
           !zoneout && !state_dropout && !projection;
  }
};

/// Where the gradients of the weights are summed: over the steps, the last computed first, and
/// within each over the rows.
enum class GradientSum {
  slices,  ///< each slice has a block of its own, and the blocks meet in a fixed binary tree
  tiles,   ///< one block of the whole batch; each tile of it is one thread's
};

/// How a shape is computed: a pure function of the shape.
struct RecurrentPlan {
  explicit RecurrentPlan(const RecurrentShape& shape);

  std::size_t slices;            // independent pieces of the batch
  std::size_t packed_size;       // elements of the packed weights
  GradientSum gradient_sum;      // tiles where a slice's own block would not stay in its cache
  std::size_t gradient_size;     // elements of one block of gradients
  std::size_t gradient_blocks;   // slices, or 1
  std::size_t backward_scratch;  // elements

  /// What forward keeps of so many steps beside the states h: T for backward, 2 where no gradient
  /// is wanted. Elements; may be 0.
  std::size_t saved_size(const RecurrentShape& shape, std::size_t slots) const;
};

/// The elements between rows of this many numbers: whole cache lines, and not a multiple of 8 of
/// them, so that a panel of many rows spreads over all sets of the first-level cache.
std::size_t padded_row(std::size_t size) noexcept;

/// The weights as PyTorch keeps them; null is what the shape has not.
template <class T>
using RecurrentWeights = PerRole<const T*>;

/// Where the gradients of the weights lie within a block: first elements.
struct GradientLayout {
  explicit GradientLayout(const RecurrentShape& shape);
  // Weights whose gradients are the same have one place: both biases where all gates are joint, and
  // a bias and the offsets of its normalisation.
  PerRole<std::size_t> place;
  std::size_t size;
  // weight_ih's (j, i) is at j * ih_row + i * ih_column: a narrow one is kept transposed, so that
  // its rows fill vectors. The others are row by row.
  std::size_t ih_row, ih_column;
};

/// Transposes the weights for forward and adds biases up; `packed` has plan.packed_size elements
/// and, for bf16, whole cache lines.
template <class T>
void pack(const RecurrentShape& shape, const RecurrentWeights<T>& weights, T* packed) noexcept;

/// A sequence of matrices: element (t, n, j) is at t * step + n * row + j.
template <class T>
struct Sequence {
  T* data = nullptr;
  std::ptrdiff_t step = 0, row = 0;

  T* at(std::size_t t, std::size_t n) const {
    return data + static_cast<std::ptrdiff_t>(t) * step + static_cast<std::ptrdiff_t>(n) * row;
  }
};

/// The random part of the regularisers. Null, or a rate of 0, is none.
template <class T>
struct RecurrentMasks {
  const T* state = nullptr;  // (N, H or P): factors of h_{t-1} in products, the same at every step
  Sequence<const T> candidate;  // (T, N, H): factors of the candidate (Semeniuta 2016)
  // Zoneout: how much of the old state stays, (T, N, H or P) and (T, N, H); without masks the
  // rates.
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
  // The states: that of step t at t % slots. For backward all T are kept, then `output` is the
  // layer's output: zero past the end of a sequence.
  Sequence<T> output;  // (slots, N, H or P)
  T* saved = nullptr;  // plan.saved_size(shape, slots)
  std::size_t slots = 0;
  T* h_n = nullptr;  // (N, H or P), or null: the state where each sequence ended
  T* c_n = nullptr;  // (N, H), or null
  RecurrentMasks<T> masks;
};

/// Each sum is one chain: bias, inputs ascending, state ascending. Throws what table() throws.
template <class T>
void forward(const RecurrentForward<T>& call);

/// One time step of a few sequences on the caller's thread, without masks: h and c are replaced.
template <class T>
struct RecurrentStep {
  RecurrentShape shape;  // batch: the sequences; steps and lengths don't matter
  const T* packed = nullptr;
  const T* input = nullptr;  // (N, I)
  std::ptrdiff_t input_row = 0;
  const T* h = nullptr;                // (N, H or P) without gaps; null: zeros
  T* next_h = nullptr;                 // not h
  const T* c = nullptr;                // (N, H), null: zeros
  T* next_c = nullptr;                 // may be c, but for zoneout
  T* scratch = nullptr;                // plan.saved_size(shape, 1)
  T zone_h_rate = 0, zone_c_rate = 0;  // zoneout keeps so much of the old states
};

/// The bits are those of forward.
template <class T>
void step(const RecurrentStep<T>& call) noexcept;

template <class T>
struct RecurrentBackward {
  RecurrentShape shape;
  RecurrentWeights<T> weights;
  Sequence<const T> input;
  const T* h_0 = nullptr;
  const T* c_0 = nullptr;
  Sequence<const T> output;  // what forward left, all T steps
  T* saved = nullptr;        // likewise; spoilt here
  RecurrentMasks<T> masks;
  const T* packed = nullptr;  // with layer_norm only
  // The gradient of the output covers grad_count steps from grad_first on; step t is at
  // t - grad_first of it.
  Sequence<const T> grad_output;
  std::size_t grad_first = 0, grad_count = 0;
  const T* grad_h_n = nullptr;  // (N, H or P) or null
  const T* grad_c_n = nullptr;  // (N, H) or null
  Sequence<T> grad_input;       // null when nobody asked; untouched past the end of a sequence
  T* grad_h_0 = nullptr;        // (N, H or P) or null
  T* grad_c_0 = nullptr;        // (N, H) or null
  T* gradients = nullptr;       // (gradient_blocks, gradient_size); the result is left in the first
  T* scratch = nullptr;         // backward_scratch
};

/// Back-propagation through all steps; the exact gradient of forward.
template <class T>
void backward(const RecurrentBackward<T>& call) noexcept;

}  // namespace unroll::kernels
