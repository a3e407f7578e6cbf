#include "kernels/stack_memory.h"

namespace unroll::kernels {
namespace {

/// The input of a layer times its factors.
template <class T>
void multiply_input(const StackCall<T>& call, const StackMemory<T>& memory, std::size_t layer) {
  const Sequence<const T> input = memory.input(layer), factors = input_factors(call, layer);
  const Sequence<T> product = memory.product(layer);
  const std::size_t columns = call.shape.input(layer);
  for_rows(call.shape.first, columns, [&](std::size_t t, std::size_t n) {
    T* const to = product.at(t, n);
    const T *const a = input.at(t, n), *const b = factors.at(t, n);
    for (std::size_t j = 0; j < columns; ++j) to[j] = a[j] * b[j];
  });
}

}  // namespace

template <class T>
std::size_t stack_memory(const StackCall<T>& call, Keep keep) {
  return StackMemory(call, keep).size();
}

template <class T>
void forward(const StackCall<T>& call, Keep keep) {
  const StackShape& stack = call.shape;
  const StackMemory memory(call, keep);
  for (std::size_t l = 0; l < stack.layers; ++l) {
    if (input_factors(call, l).data) multiply_input(call, memory, l);
    for (std::size_t d = 0; d < stack.directions; ++d) {
      const std::size_t index = l * stack.directions + d;
      RecurrentForward<T> pass;
      pass.shape = shape_of(call, l, d);
      pass.packed = call.packed->at(index);
      pass.input = memory.read(l);
      pass.h_0 = state_at(call, call.h_0, index, stack.first.output());
      pass.c_0 = state_at(call, call.c_0, index, stack.first.hidden);
      pass.output = of_direction(memory.output(l), stack, d);
      pass.slots = memory.output_slots(l);
      pass.saved = memory.saved(index);
      pass.saved_slots = memory.slots();
      pass.h_n = state_at(call, call.h_n, index, stack.first.output());
      pass.c_n = state_at(call, call.c_n, index, stack.first.hidden);
      pass.masks = masks_of(call, index);
      forward(pass);
    }
  }
}

#define UNROLL_INSTANTIATE(T)                                   \
  template std::size_t stack_memory(const StackCall<T>&, Keep); \
  template void forward(const StackCall<T>&, Keep);
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::kernels
