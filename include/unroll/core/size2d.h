// A height and a width.
#pragma once

#include <cstdint>

namespace unroll {

/// Height and width. A single number sets both, as in PyTorch: Conv2d(1, 16, 5) or Conv2d(1, 16,
/// {5, 3}).
struct Size2d {
  std::int64_t height = 0, width = 0;

  constexpr Size2d() = default;
  constexpr Size2d(std::int64_t both) : height(both), width(both) {}
  constexpr Size2d(std::int64_t h, std::int64_t w) : height(h), width(w) {}

  constexpr std::int64_t numel() const { return height * width; }

  friend bool operator==(const Size2d&, const Size2d&) = default;
};

}  // namespace unroll
