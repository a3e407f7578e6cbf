// A stack over sequences in which episodes end: the functions of stack.h, with episodes.
//
// Each episode is computed as a sequence of its own. So all of them go through time side by side,
// and there is no loop over the steps outside.
#pragma once

#include "kernels/episodes.h"
#include "kernels/stack.h"

namespace unroll::kernels {

// The episodes are those of the call's N sequences of T steps. The stack has one direction, and the
// call has no lengths and no factors.

template <class T>
std::size_t stack_memory(const StackCall<T>& call, const Episodes& episodes, Keep keep);
template <class T>
void forward(const StackCall<T>& call, const Episodes& episodes, Keep keep);
template <class T>
std::size_t stack_backward_scratch(const StackCall<T>& call, const Episodes& episodes);
template <class T>
void backward(const StackCall<T>& call, const Episodes& episodes,
              const StackGradients<T>& gradients);

}  // namespace unroll::kernels
