#include "kernels/packed_stack.h"

#include <algorithm>

namespace unroll::kernels {
namespace {

constexpr std::size_t kCacheLine = 64;

}  // namespace

template <class T>
PackedStack<T>::PackedStack(const StackShape& shape, std::span<const RecurrentWeights<T>> weights,
                            std::pmr::memory_resource* memory)
    : memory_(memory),
      directions_(shape.directions),
      first_(RecurrentPlan(shape.of(0, 0)).packed_size),
      other_(shape.layers > 1 ? RecurrentPlan(shape.of(1, 0)).packed_size : 0),
      size_(shape.directions * (first_ + (shape.layers - 1) * other_)),
      data_(static_cast<T*>(memory->allocate(bytes(), kCacheLine))) {
  for (std::size_t l = 0; l < shape.layers; ++l)
    for (std::size_t d = 0; d < shape.directions; ++d) {
      const std::size_t index = l * shape.directions + d;
      pack(shape.of(l, d), weights[index], const_cast<T*>(at(index)));
    }
}

template <class T>
PackedStack<T>::~PackedStack() {
  memory_->deallocate(data_, bytes(), kCacheLine);
}

template class PackedStack<float>;
template class PackedStack<double>;

}  // namespace unroll::kernels
