// A run whose loss grows without bounds.
#pragma once

#include <string>

#include "train/config.h"

namespace unroll::train {

/// The flags that may keep such a run from diverging again. It names --clip-norm only where no norm
/// is set.
std::string remedy_for_divergence(const Config& config);

}  // namespace unroll::train
