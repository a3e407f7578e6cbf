// The scale of the pixels of a set.
#pragma once

#include <cstdint>
#include <span>

#include "unroll/data/dataset.h"
#include "unroll/data/loader.h"

namespace unroll::data {

/// Mean and standard deviation of all pixels / 255. The sums are exact, so that every machine finds
/// the same numbers. 0 and 0 for a set without pixels. `images`: only these; empty: all.
Normalization pixel_statistics(const Dataset& set, std::span<const std::int64_t> images = {});

}  // namespace unroll::data
