#include "data/series_parts.h"

#include <string>
#include <vector>

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
  for (const Split which : all_parts) {
    // Only the names of this part decide: whether they are numbers, for one.
    std::vector<std::int64_t> series;
    std::vector<std::string> names;
    for (std::int64_t k = 0; k < recordings.count(); ++k) {
      if (parts[index(k)] != which) continue;
      series.push_back(k);
      names.push_back(recordings.names[index(k)]);
    }
    for (const std::int64_t i : order_of_names(names)) {
      const std::int64_t k = series[index(i)];
      add_series(part_of(result, which), k, recordings.lengths[index(k)], window, stride);
    }
  }
  return result;
}

}  // namespace unroll::data
