#include "data/source.h"

#include <algorithm>

namespace unroll::data {

std::int64_t Source::test_batch() const {
  constexpr std::int64_t kMostNumbers = 1 << 24, kMostSamples = 1024;
  const spec::InputSpec all = input();
  const auto* series = std::get_if<spec::SeriesInput>(&all);
  const auto all_lengths = lengths(Split::test);
  const std::int64_t steps = !all_lengths.empty() ? std::ranges::max(all_lengths)
                             : series             ? series->steps
                                                  : 1;
  const std::int64_t numbers = std::max<std::int64_t>(1, steps * (series ? series->features : 1));
  return std::clamp<std::int64_t>(kMostNumbers / numbers, 1, kMostSamples);
}

}  // namespace unroll::data
