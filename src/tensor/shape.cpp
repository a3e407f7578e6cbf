#include "unroll/tensor/shape.h"

#include <fmt/format.h>

#include <algorithm>

#include "unroll/core/error.h"

namespace unroll {

Shape::Shape(std::initializer_list<std::int64_t> sizes)
    : Shape(std::span<const std::int64_t>(sizes.begin(), sizes.size())) {}

Shape::Shape(std::span<const std::int64_t> sizes) : rank_(static_cast<int>(sizes.size())) {
  if (rank_ > max_rank)
    throw ShapeError("shape",
                     fmt::format("{} dimensions given, expected at most {}", rank_, max_rank));
  std::copy(sizes.begin(), sizes.end(), sizes_.begin());
}

std::int64_t Shape::numel() const {
  std::int64_t product = 1;
  for (const std::int64_t size : *this) product *= size;
  return product;
}

Shape Shape::without(int dim) const {
  Shape rest;
  for (int d = 0; d < rank_; ++d)
    if (d != dim) rest.sizes_[static_cast<std::size_t>(rest.rank_++)] = (*this)[d];
  return rest;
}

std::string Shape::str() const { return fmt::format("[{}]", fmt::join(begin(), end(), ", ")); }

bool operator==(const Shape& a, const Shape& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

}  // namespace unroll
