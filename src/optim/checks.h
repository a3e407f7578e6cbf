// Ranges of the optimizers' options.
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "unroll/core/error.h"

namespace unroll::optim {

/// Throws ValueError unless low <= value < high; NaN is refused.
inline void check_range(std::string_view optimizer, std::string_view option, double value,
                        double low, double high) {
  if (!(value >= low && value < high))
    throw ValueError(optimizer, fmt::format("{} = {}, expected {} <= {} < {}", option, value, low,
                                            option, high));
}

}  // namespace unroll::optim
