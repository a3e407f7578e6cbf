// Checks that a data set is consistent.
#pragma once

#include <string_view>

#include "unroll/data/dataset.h"

namespace unroll::data {

/// Throws ValueError, which names `operation`, unless the set has at least one image and a size,
/// its numbers of pixels and labels fit its count and size, and every label is below `classes`.
void check_dataset(std::string_view operation, const Dataset& set);

}  // namespace unroll::data
