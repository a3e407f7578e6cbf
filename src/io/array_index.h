// The place of a number in an array.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace unroll::io {

/// The index of element `flat` in a row-major array of this shape, as text: "[3, 17]".
inline std::string index_text(std::size_t flat, std::span<const std::int64_t> shape) {
  std::vector<std::size_t> index(shape.size());
  for (std::size_t d = index.size(); d-- > 0;) {
    const auto size = static_cast<std::size_t>(shape[d]);
    index[d] = flat % size;
    flat /= size;
  }
  return fmt::format("[{}]", fmt::join(index, ", "));
}

}  // namespace unroll::io
