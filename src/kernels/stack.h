// Recurrent layers on top of each other over whole sequences, on raw strided memory. nn's node on
// the tape, infer's sequences and other hosts share it.
//
// The host owns all memory: forward leaves what backward needs in one block of known size, and
// gradients go where the host wants them. Nothing else is kept between the two.
#pragma once

#include <span>

#include "kernels/packed_stack.h"
#include "kernels/recurrent.h"

namespace unroll::kernels {

/// The factors of the regularisers in one layer and direction. Null means none.
template <class T>
struct LayerFactors {
  Sequence<const T> input;       // (T, N, I or D P); in the forward direction, for the whole layer
  RecurrentMasks<T> masks;       // the rates are StackCall's
  const T* weight_hh = nullptr;  // (G H, P): factors of weight_hh, which it has already
};

/// A call of a stack. P is the size of h. A sequence may have gaps between rows, or none
/// (first_row).
template <class T>
struct StackCall {
  StackShape shape;
  const PackedStack<T>* packed = nullptr;
  Sequence<const T> input;                   // (T, N, I)
  const T *h_0 = nullptr, *c_0 = nullptr;    // (L D, N, P), (L D, N, H); null: zeros
  Sequence<T> output;                        // (T, N, D P); null: only the final states are wanted
  T *h_n = nullptr, *c_n = nullptr;          // or null. Without backward they may be h_0 and c_0
  std::size_t state_rows = 0;                // rows of a layer in h_0 to c_n, if more than N
  std::span<const LayerFactors<T>> factors;  // (L D), or empty
  T zone_h_rate = 0, zone_c_rate = 0;        // where there are no masks
  T* memory = nullptr;                       // stack_memory() elements
};

/// What the memory of a call is for.
enum class Keep {
  nothing,      // forward alone; T steps keep nothing for backward
  for_backward  // `memory` then belongs to one forward and one backward
};

/// Elements of StackCall::memory.
template <class T>
std::size_t stack_memory(const StackCall<T>& call, Keep keep);

/// The forward pass: output, h_n and c_n. Zeros follow the end of a sequence in a padded output.
/// Throws the errors of table().
template <class T>
void forward(const StackCall<T>& call, Keep keep);

/// What backward reads and gives, besides the call of forward.
template <class T>
struct StackGradients {
  std::span<const RecurrentWeights<T>> weights;  // (L D)
  // The gradient of the output, for grad_count steps from grad_first on; null: zeros.
  Sequence<const T> output;
  std::size_t grad_first = 0, grad_count = 0;
  // The gradients of the final states, for each layer and direction: (N, P) and (N, H); empty, or
  // null: zeros.
  std::span<const T*const> h_n, c_n;
  Sequence<T> input;                        // null: not wanted. Zeros follow the end of a sequence
  T *h_0 = nullptr, *c_0 = nullptr;         // (L D, N, P), (L D, N, H); null: not wanted
  std::span<const PerRole<T*>> of_weights;  // (L D), row-major; null: not wanted
  T* scratch = nullptr;                     // stack_backward_scratch() elements
};

template <class T>
std::size_t stack_backward_scratch(const StackCall<T>& call);

/// Back-propagation through a forward that kept its memory. All pointers of the call are those of
/// forward, or copies of the same numbers elsewhere. `memory` is spoilt.
template <class T>
void backward(const StackCall<T>& call, const StackGradients<T>& gradients);

}  // namespace unroll::kernels
