// Small recordings for tests.
#pragma once

#include <string>
#include <vector>

#include "data/recordings.h"

namespace unroll::data {

/// Series with one column of numbers: x at step t of series k is 10 k + t. They have `classes`.
inline Recordings made_up_series(const std::vector<std::string>& names,
                                 const std::vector<std::string>& classes, std::int64_t steps = 2) {
  Recordings r;
  r.name = "made-up";
  r.settings.task = Task::classify;
  r.settings.target = {"kind"};
  r.names = names;
  r.columns = {{"x"}};
  r.target_columns = {{"kind"}};
  std::vector<std::string>& texts = r.target_columns[0].texts;
  for (std::size_t k = 0; k < names.size(); ++k) {
    r.lengths.push_back(steps);
    for (std::int64_t t = 0; t < steps; ++t)
      r.values.push_back(static_cast<float>(10 * static_cast<std::int64_t>(k) + t));
    std::size_t c = 0;
    while (c < texts.size() && texts[c] != classes[k]) ++c;
    if (c == texts.size()) texts.push_back(classes[k]);
    r.targets.push_back(static_cast<float>(c));
  }
  return r;
}

}  // namespace unroll::data
