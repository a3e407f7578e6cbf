// Cutting sequences for truncated back-propagation through time.
#pragma once

#include <cstdint>

#include "unroll/tensor/tensor.h"

namespace unroll::train {

/// Steps first to first + count - 1 of (N, T, ...), copied, without history. 0 <= first,
/// first + count <= T.
Tensor steps_of(const Tensor& x, std::int64_t first, std::int64_t count);

/// How many of the targets, (N, K) of i64, are not data::no_target.
std::int64_t count_targets(const Tensor& targets);

}  // namespace unroll::train
