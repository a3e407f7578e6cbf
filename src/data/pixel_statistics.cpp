#include "data/pixel_statistics.h"

#include <cmath>
#include <cstdint>

#include "core/float_environment.h"

namespace unroll::data {

// With n pixels p and their sum S, the mean is S / n and w its integer part. The variance is
// computed as sum((p - w)^2) / n - (S / n - w)^2. Subtracting w first avoids the loss of digits.
Normalization pixel_statistics(const Dataset& set, std::span<const std::int64_t> images) {
  const FloatEnvironment environment;
  const auto pixels = static_cast<std::uint64_t>(set.rows * set.columns);
  const std::uint64_t count = images.empty() ? set.images.size() : images.size() * pixels;
  if (count == 0) return {.mean = 0, .std = 0};
  const auto each = [&](auto&& f) {
    if (images.empty())
      for (const std::uint8_t pixel : set.images) f(pixel);
    for (const std::int64_t image : images)
      for (const std::uint8_t pixel : std::span(set.image(image), pixels)) f(pixel);
  };
  std::uint64_t sum = 0;
  each([&](std::uint8_t pixel) { sum += pixel; });
  const auto whole = static_cast<std::int64_t>(sum / count);
  std::uint64_t squares = 0;
  each([&](std::uint8_t pixel) {
    squares += static_cast<std::uint64_t>((pixel - whole) * (pixel - whole));
  });
  const auto n = static_cast<double>(count);
  const double rest = static_cast<double>(sum % count) / n;
  const double variance = static_cast<double>(squares) / n - rest * rest;
  return {.mean = static_cast<double>(sum) / (255 * n), .std = std::sqrt(variance) / 255};
}

}  // namespace unroll::data
