// Cuts sequences into chunks for truncated back-propagation through time.
#pragma once

#include <cstdint>

#include "unroll/tensor/tensor.h"

namespace unroll::train {

/// A copy of the steps first to first + count - 1 of (N, T, ...), without history. Expects 0 <=
/// first and first + count <= T.
Tensor steps_of(const Tensor& x, std::int64_t first, std::int64_t count);

}  // namespace unroll::train
