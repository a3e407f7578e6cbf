#include "nn/lengths.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "unroll/core/error.h"

namespace unroll::nn {

void check_lengths(std::string_view operation, std::span<const std::int64_t> lengths,
                   std::int64_t batch, std::int64_t steps) {
  if (lengths.empty()) return;
  if (static_cast<std::int64_t>(lengths.size()) != batch)
    throw ShapeError(operation, fmt::format("{} lengths are given, expected {}: one for each "
                                            "sequence of the batch",
                                            lengths.size(), batch));
  for (std::size_t n = 0; n < lengths.size(); ++n)
    if (lengths[n] < 1 || lengths[n] > steps)
      throw ValueError(
          operation, fmt::format("length {} at index {}, expected 1 to {}", lengths[n], n, steps));
}

void longest_first(std::span<const std::int64_t> lengths, std::span<std::int64_t> order) {
  std::iota(order.begin(), order.end(), 0);
  const auto length = [&](std::int64_t n) { return lengths[static_cast<std::size_t>(n)]; };
  // std::stable_sort would allocate.
  std::ranges::sort(order, [&](std::int64_t a, std::int64_t b) {
    return length(a) != length(b) ? length(a) > length(b) : a < b;
  });
}

}  // namespace unroll::nn
