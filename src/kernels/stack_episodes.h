// A stack over sequences in which episodes end: the functions of stack.h, with resets.
//
// Each episode is computed as a sequence of its own. So all of them go through time side by side,
// and there is no loop over the steps outside.
#pragma once

#include <cstdint>

#include "kernels/stack.h"

namespace unroll::kernels {

// `resets` is (T, N): not 0 where the state before the step is zeros, because an episode begins
// there. The stack has one direction, and the call no lengths and no factors.

template <class T>
std::size_t stack_memory(const StackCall<T>& call, const std::uint8_t* resets, Keep keep);
template <class T>
void forward(const StackCall<T>& call, const std::uint8_t* resets, Keep keep);
template <class T>
std::size_t stack_backward_scratch(const StackCall<T>& call, const std::uint8_t* resets);
template <class T>
void backward(const StackCall<T>& call, const std::uint8_t* resets,
              const StackGradients<T>& gradients);

}  // namespace unroll::kernels
