#include "data/series_parts.h"

#include "data/name_order.h"

namespace unroll::data {
namespace {

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

void add_series(SeriesPart& part, std::int64_t series, std::int64_t length, std::int64_t window,
                std::int64_t stride) {
  const auto number = static_cast<std::int64_t>(part.series.size());
  const auto add = [&](std::int64_t first, std::int64_t steps) {
    part.windows.push_back({series, first});
    part.lengths.push_back(steps);
    if (window > 0) part.series_of.push_back(number);
  };
  part.series.push_back(series);
  if (window == 0 || length < window) return add(0, length);
  std::int64_t first = 0;
  for (; first <= length - window; first += stride) add(first, window);
  const std::int64_t end = first - stride + window;
  part.left_out += length - end;
}

}  // namespace

std::int64_t SeriesPart::steps(const Recordings& recordings) const {
  std::int64_t sum = 0;
  for (const std::int64_t k : series) sum += recordings.lengths[index(k)];
  return sum;
}

SeriesParts cut_parts(const Recordings& recordings, std::span<const Split> parts,
                      std::int64_t window, std::int64_t stride) {
  SeriesParts result;
  for (const std::int64_t k : order_of_names(recordings.names))
    add_series(part_of(result, parts[index(k)]), k, recordings.lengths[index(k)], window, stride);
  return result;
}

}  // namespace unroll::data
