// Batches of sequences of different lengths.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "data/source.h"
#include "unroll/data/bucket_loader.h"
#include "unroll/tensor/tensor.h"

namespace unroll::data {

/// Throws ValueError for no sequences, or a length or number of features below 1; ShapeError where
/// lengths, values and labels don't fit together.
void check_sequences(std::string_view operation, const Sequences& sequences);

/// Where each sequence starts, in steps.
std::vector<std::int64_t> starts_of(std::span<const std::int64_t> lengths);

/// The picked sequences, (N, T, I) with the longest length T, and 0 behind the end of each.
Tensor padded(const Sequences& sequences, std::span<const std::int64_t> starts,
              std::span<const Pick> picks, DType dtype);

}  // namespace unroll::data
