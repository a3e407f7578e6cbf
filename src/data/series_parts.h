// Which series and which of their steps make the samples of a part.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "data/recordings.h"

namespace unroll::data {

/// The three parts, in the order in which texts list them.
inline constexpr Split all_parts[] = {Split::train, Split::validation, Split::test};

/// A sample: some steps of a series.
struct Window {
  std::int64_t series = 0;  ///< of the recordings
  std::int64_t first = 0;   ///< the step of the series with which it begins
};

/// The samples of a part.
struct SeriesPart {
  std::vector<std::int64_t> series;     ///< of the recordings, by name
  std::vector<Window> windows;          ///< the samples
  std::vector<std::int64_t> lengths;    ///< of the samples
  std::vector<std::int64_t> series_of;  ///< of each sample: index into `series`; empty: one each
  std::int64_t left_out = 0;            ///< steps at ends that fill no window

  std::int64_t steps(const Recordings& recordings) const;  ///< of all series
};

/// The parts, by Split.
using SeriesParts = std::array<SeriesPart, 3>;
inline SeriesPart& part_of(SeriesParts& parts, Split part) {
  return parts[static_cast<std::size_t>(part)];
}
inline const SeriesPart& part_of(const SeriesParts& parts, Split part) {
  return parts[static_cast<std::size_t>(part)];
}

/// Puts the series into their parts, in the order of their names, and cuts windows of `window`
/// steps, `stride` apart. 0: a sample is a whole series. A series that is shorter than a window is
/// one sample.
SeriesParts cut_parts(const Recordings& recordings, std::span<const Split> parts,
                      std::int64_t window, std::int64_t stride);

}  // namespace unroll::data
