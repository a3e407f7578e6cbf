// Checks of the numbers in a description.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unroll/core/error.h"
#include "unroll/spec/layers.h"

namespace unroll::spec {

/// Ranges of a layer's numbers; `where` names the layer.
struct Ranges {
  std::string where;

  [[noreturn]] void fail(std::string_view why) const {
    throw FormatError("model", fmt::format("{}: {}", where, why));
  }
  void check(std::string_view what, std::int64_t value, std::int64_t least,
             std::int64_t most) const {
    if (value < least || value > most)
      fail(fmt::format("{} is {}, expected {} to {}", what, value, least, most));
  }
  void check(std::string_view what, Size2d e, std::int64_t least, std::int64_t most) const {
    check(fmt::format("{}'s height", what), e.height, least, most);
    check(fmt::format("{}'s width", what), e.width, least, most);
  }
  void check_rate(std::string_view what, double rate) const {
    if (!(rate >= 0 && rate <= 1)) fail(fmt::format("{} is {}, expected 0 to 1", what, rate));
  }
  /// Checks a scaling (x - mean) / std with one number, or one for each feature.
  void check_scaling(const std::vector<double>& means, const std::vector<double>& stds,
                     std::int64_t features) const {
    for (const auto& [what, values] : {std::pair("mean", &means), {"std", &stds}})
      if (values->size() != 1 && static_cast<std::int64_t>(values->size()) != features)
        fail(fmt::format("its {} has {} numbers, expected 1, or {}: one for each feature", what,
                         values->size(), features));
    for (const double mean : means)
      if (!std::isfinite(static_cast<float>(mean)))
        fail(fmt::format("a mean is {}, expected a finite number", mean));
    for (const double std : stds)
      if (!std::isfinite(static_cast<float>(std)) || !(static_cast<float>(std) > 0))
        fail(fmt::format("a std is {}, expected more than 0", std));
  }
};

}  // namespace unroll::spec
