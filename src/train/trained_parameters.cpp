#include "train/trained_parameters.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/printable.h"
#include "unroll/core/error.h"

namespace unroll::train {

Parameters trained_parameters(const Parameters& all, const std::vector<std::string>& frozen) {
  std::vector<std::string> names;
  for (const Parameter& p : all) names.push_back(printable(p.name));
  for (const std::string& start : frozen)
    if (std::ranges::none_of(all, [&](const Parameter& p) { return p.name.starts_with(start); }))
      throw ValueError("freeze", fmt::format("no weight has a name that starts with '{}'; the "
                                             "weights are {}",
                                             printable(start), fmt::join(names, ", ")));
  Parameters trained;
  for (const Parameter& p : all)
    if (std::ranges::none_of(frozen,
                             [&](const std::string& start) { return p.name.starts_with(start); }))
      trained.push_back(p);
  if (trained.empty())
    throw ValueError("freeze", fmt::format("{} are all weights, so nothing would be trained; leave "
                                           "one out",
                                           fmt::join(frozen, ", ")));
  return trained;
}

}  // namespace unroll::train
