// A few of many places.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace unroll {

/// At most `most` of the places 0 to count - 1, evenly spaced, with the first and the last.
inline std::vector<std::size_t> evenly_spaced(std::size_t count, std::size_t most) {
  const std::size_t chosen = std::min(count, most);
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < chosen; ++i)
    places.push_back(chosen == 1 ? 0 : i * (count - 1) / (chosen - 1));
  return places;
}

}  // namespace unroll
