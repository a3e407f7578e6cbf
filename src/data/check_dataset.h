// Whether a set is what it says.
#pragma once

#include <string_view>

#include "unroll/data/dataset.h"

namespace unroll::data {

/// Throws ValueError naming `operation` unless the set has at least one image, a size, as many
/// pixels and labels as its count and size say, and every label is below `classes`.
void check_dataset(std::string_view operation, const Dataset& set);

}  // namespace unroll::data
