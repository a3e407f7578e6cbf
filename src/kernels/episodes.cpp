#include "kernels/episodes.h"

#include <algorithm>
#include <functional>

namespace unroll::kernels {

Episodes::Episodes(const std::uint8_t* resets, std::size_t steps, std::size_t batch) {
  for (std::size_t n = 0; n < batch; ++n)
    for (std::size_t first = 0; first < steps;) {
      std::size_t end = first + 1;
      while (end < steps && resets[end * batch + n] == 0) ++end;
      episodes_.push_back({n, first, end - first, first == 0 && resets[n] == 0, end == steps});
      first = end;
    }
  std::ranges::stable_sort(episodes_, std::ranges::greater(), &Episode::length);
  for (const Episode& episode : episodes_) lengths_.push_back(episode.length);
  std::size_t row = 0;
  for (std::size_t s = 0, rows = count(); s < this->steps(); ++s, row += rows) {
    while (lengths_[rows - 1] <= s) --rows;
    first_row_.push_back(row);
  }
}

}  // namespace unroll::kernels
