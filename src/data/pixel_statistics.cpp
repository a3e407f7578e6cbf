#include "data/pixel_statistics.h"

#include <cmath>
#include <cstdint>

#include "core/float_environment.h"

namespace unroll::data {

// With n pixels p and their sum S, the mean is S / n and w its integer part. The variance is
// computed as sum((p - w)^2) / n - (S / n - w)^2. Subtracting w first avoids the loss of digits.
Normalization pixel_statistics(const Dataset& set) {
  const FloatEnvironment environment;
  const std::uint64_t count = set.images.size();
  if (count == 0) return {.mean = 0, .std = 0};
  std::uint64_t sum = 0;
  for (const std::uint8_t pixel : set.images) sum += pixel;
  const auto whole = static_cast<std::int64_t>(sum / count);
  std::uint64_t squares = 0;
  for (const std::uint8_t pixel : set.images)
    squares += static_cast<std::uint64_t>((pixel - whole) * (pixel - whole));
  const auto n = static_cast<double>(count);
  const double rest = static_cast<double>(sum % count) / n;
  const double variance = static_cast<double>(squares) / n - rest * rest;
  return {.mean = static_cast<double>(sum) / (255 * n), .std = std::sqrt(variance) / 255};
}

}  // namespace unroll::data
