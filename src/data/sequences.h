// Makes batches of sequences with different lengths.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "data/source.h"
#include "unroll/data/bucket_loader.h"
#include "unroll/tensor/tensor.h"

namespace unroll::data {

/// Throws ValueError if there are no sequences, or if a length or the number of features or targets
/// is below 1. Throws ShapeError if lengths, values, and labels or targets do not fit together.
void check_sequences(std::string_view operation, const Sequences& sequences);

/// The first step of each sequence among the steps of all.
std::vector<std::int64_t> starts_of(std::span<const std::int64_t> lengths);

/// The picked sequences, (N, T, I). T is the longest length; shorter sequences are padded with 0.
Tensor padded(const Sequences& sequences, std::span<const std::int64_t> starts,
              std::span<const Pick> picks, DType dtype);

/// The labels or targets of the picked sequences: PaddedBatch::labels.
Tensor padded_answers(const Sequences& sequences, std::span<const std::int64_t> starts,
                      std::span<const Pick> picks, DType dtype);

}  // namespace unroll::data
