// Parts of a block of memory.
#pragma once

#include <cstddef>

namespace unroll::kernels {

/// Elements rounded up to whole cache lines of f32.
constexpr std::size_t whole_lines(std::size_t size) { return (size + 15) / 16 * 16; }

/// Places parts one after the other, each at a cache line.
class Places {
 public:
  std::size_t next(std::size_t elements) {
    const std::size_t place = size_;
    size_ += whole_lines(elements);
    return place;
  }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

}  // namespace unroll::kernels
