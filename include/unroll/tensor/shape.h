// The sizes of a tensor.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "unroll/core/api.h"

namespace unroll {

/// Up to five sizes, outermost first; empty for a single number.
class UNROLL_API Shape {
 public:
  static constexpr int max_rank = 5;

  Shape() = default;
  /// Throws ShapeError for more than five sizes.
  Shape(std::initializer_list<std::int64_t> sizes);
  explicit Shape(std::span<const std::int64_t> sizes);

  int rank() const { return rank_; }
  std::int64_t operator[](int dim) const { return sizes_[static_cast<std::size_t>(dim)]; }
  std::int64_t& operator[](int dim) { return sizes_[static_cast<std::size_t>(dim)]; }
  std::int64_t numel() const;  ///< the product of the sizes; 1 for a single number
  const std::int64_t* begin() const { return sizes_.data(); }
  const std::int64_t* end() const { return sizes_.data() + rank_; }
  Shape without(int dim) const;  ///< the shape without this dimension
  std::string str() const;       ///< "[100, 28]"

  friend UNROLL_API bool operator==(const Shape& a, const Shape& b);

 private:
  std::array<std::int64_t, max_rank> sizes_{};
  int rank_ = 0;
};

}  // namespace unroll
