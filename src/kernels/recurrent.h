// The driver of recurrent layers over whole sequences, on raw pointers.
//
// A batch is cut into slices of rows; each slice goes through all time steps alone, so a pass needs
// one or two meetings of the threads, not one a step. The slices, and how the gradients of the
// weights are summed, follow from the shapes alone: the bits do not depend on the number of
// threads.
#pragma once

#include <cstddef>

#include "kernels/table.h"
#include "unroll/core/nonlinearity.h"

namespace unroll::kernels {

struct RecurrentShape {
  std::size_t batch = 0;   // N
  std::size_t steps = 0;   // T
  std::size_t input = 0;   // I of the first layer
  std::size_t hidden = 0;  // H
  std::size_t layers = 1;  // L
  bool bias = true;
  Nonlinearity nonlinearity = Nonlinearity::tanh;
  bool bf16 = false;  // round the operands of products to bf16; f32 only, where bf16_available()

  std::size_t input_of(std::size_t layer) const { return layer == 0 ? input : hidden; }
};

/// Where the gradients of the weights are summed: over the steps, the last first, and within each
/// over the rows.
enum class GradientSum {
  slices,  ///< each slice has a block of its own, and the blocks meet in a fixed binary tree
  tiles,   ///< one block of the whole batch; each tile of it is one thread's
};

/// How a shape is computed: a pure function of the shape.
struct RecurrentPlan {
  explicit RecurrentPlan(const RecurrentShape& shape);

  std::size_t slices;            // independent pieces of the batch
  std::size_t row_stride;        // S: elements between rows of states and of packed weights
  std::size_t packed_size;       // elements of all layers' packed weights
  GradientSum gradient_sum;      // tiles where a slice's own block would not stay in its cache
  std::size_t gradient_size;     // elements of one block of all layers' gradients
  std::size_t gradient_blocks;   // slices, or 1
  std::size_t backward_scratch;  // elements
};

/// The elements between rows of this many numbers: whole cache lines, and not a multiple of 8 of
/// them, so that a panel of many rows spreads over all sets of the first-level cache.
std::size_t padded_row(std::size_t size) noexcept;

/// One layer's weights as PyTorch keeps them; the biases are null without bias.
template <class T>
struct RecurrentWeights {
  const T* weight_ih;  // (H, I)
  const T* weight_hh;  // (H, H)
  const T* bias_ih;    // (H)
  const T* bias_hh;    // (H)
};

/// Where one layer's gradient lies within a block. Both biases have the same gradient.
struct GradientLayout {
  std::size_t weight_ih, weight_hh, bias;  // first elements
  // weight_ih's (j, i) is at j * ih_row + i * ih_column: a narrow one is kept transposed, so that
  // its rows fill vectors. weight_hh is row by row.
  std::size_t ih_row, ih_column;
};
GradientLayout gradient_layout(const RecurrentShape& shape, std::size_t layer);

/// Transposes the weights for forward and adds the two biases; `packed` has plan.packed_size and,
/// for bf16, whole cache lines.
template <class T>
void pack(const RecurrentShape& shape, const RecurrentWeights<T>* weights, T* packed) noexcept;

template <class T>
struct RecurrentForward {
  RecurrentShape shape;
  const T* packed;
  const T* input;  // element (t, n, i) at t * input_step + n * input_row + i
  std::ptrdiff_t input_step, input_row;
  const T* h_0;  // (L, N, H), or null for zeros
  // (L, slots, N, S): the state of layer l after step t is in slot (t + 1) % slots, that before the
  // first in slot 0. steps + 1 slots keep everything for backward, 2 only what the next step needs.
  T* states;
  std::size_t slots;
};

/// h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), each sum one chain: bias, input, state.
/// Throws what table() throws.
template <class T>
void forward(const RecurrentForward<T>& call);

/// One step of a single sequence on the caller's thread: `next` from `h`, both (L, H) without gaps;
/// h is null for zeros. The bits are those of forward. shape.batch and shape.steps don't matter.
template <class T>
void step(const RecurrentShape& shape, const T* packed, const T* input, const T* h,
          T* next) noexcept;

template <class T>
struct RecurrentBackward {
  RecurrentShape shape;
  const RecurrentWeights<T>* weights;  // L of them
  const T* input;
  std::ptrdiff_t input_step, input_row;
  bool has_h_0;
  const T* states;  // with steps + 1 slots
  // The gradient of the last layer's states covers grad_count steps from grad_first on; element
  // (t, n, j) of it is at (t - grad_first) * grad_step + n * grad_row + j.
  const T* grad_output;  // null: none
  std::size_t grad_first, grad_count;
  std::ptrdiff_t grad_step, grad_row;
  const T* grad_h_n;  // (L, N, H) or null
  T* grad_input;      // like input, or null when nobody asked
  std::ptrdiff_t grad_input_step, grad_input_row;
  T* grad_h_0;   // (L, N, H) or null
  T* gradients;  // (gradient_blocks, gradient_size); the result is left in the first
  T* scratch;    // backward_scratch
};

/// Back-propagation through all steps; the exact gradient of forward.
template <class T>
void backward(const RecurrentBackward<T>& call) noexcept;

}  // namespace unroll::kernels
