// A height and a width.
#pragma once

#include <cstdint>

namespace unroll::nn {

/// A single number is both, as in PyTorch: Conv2d(1, 16, 5) or Conv2d(1, 16, {5, 3}).
struct Size2d {
  std::int64_t height, width;
  constexpr Size2d(std::int64_t both) : height(both), width(both) {}
  constexpr Size2d(std::int64_t h, std::int64_t w) : height(h), width(w) {}
};

}  // namespace unroll::nn
