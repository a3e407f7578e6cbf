// The weights of a stack of recurrent layers, in the layout of the kernels.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <span>

#include "kernels/recurrent.h"

namespace unroll::kernels {

/// L layers in D directions. Layer l, direction d is at l D + d wherever there is one of each.
struct StackShape {
  RecurrentShape first;  // of the first layer; `reverse` is not used
  std::size_t layers = 1, directions = 1;

  std::size_t count() const { return layers * directions; }
  std::size_t width() const { return directions * first.output(); }  // D P
  std::size_t input(std::size_t layer) const { return layer == 0 ? first.input : width(); }
  RecurrentShape of(std::size_t layer, std::size_t direction) const {
    RecurrentShape shape = first;
    shape.input = input(layer);
    shape.reverse = direction == 1;
    return shape;
  }
};

/// The packed weights of all layers and directions. They never change, so stacks and streams in
/// several threads may share them.
template <class T>
class PackedStack {
 public:
  /// Packs the weights (L D), into memory of this resource. Throws std::bad_alloc.
  PackedStack(const StackShape& shape, std::span<const RecurrentWeights<T>> weights,
              std::pmr::memory_resource* memory = std::pmr::new_delete_resource());
  ~PackedStack();
  PackedStack(const PackedStack&) = delete;
  PackedStack& operator=(const PackedStack&) = delete;

  /// The weights of a layer and direction.
  const T* at(std::size_t index) const {
    return data_ + (index < directions_ ? index * first_
                                        : directions_ * first_ + (index - directions_) * other_);
  }
  std::size_t bytes() const { return size_ * sizeof(T); }

 private:
  std::pmr::memory_resource* memory_;
  std::size_t directions_;
  std::size_t first_, other_;  // elements of a direction of the first layer, and of another one
  std::size_t size_;           // elements of all
  T* data_;
};

}  // namespace unroll::kernels
