// The lengths of the sequences in a batch.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace unroll::nn {

/// Does nothing if `lengths` is empty. Throws ShapeError unless there is one for each sequence, and
/// ValueError naming the first length outside 1 to `steps`.
void check_lengths(std::string_view operation, std::span<const std::int64_t> lengths,
                   std::int64_t batch, std::int64_t steps);

/// Writes the order of the sequences from longest to shortest to `order`. Equal lengths keep their
/// order. Allocates nothing.
void longest_first(std::span<const std::int64_t> lengths, std::span<std::int64_t> order);

}  // namespace unroll::nn
