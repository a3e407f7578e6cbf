// The order in which a loader visits samples, and what making an iterator draws.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "unroll/core/random.h"

namespace unroll::data {

/// One shuffled pass over n samples: draws a base seed (of no use here, but PyTorch's DataLoader
/// draws one per iterator), then a seed whose own generator makes permutation(n).
/// Source: torch.utils.data.DataLoader and RandomSampler.
std::vector<std::int64_t> shuffled_order(Generator& generator, std::int64_t n);

/// The order that such a seed stands for, into `order`. What makes it stays in `own`, so that only
/// the first one asks for memory.
void order_of(std::uint64_t seed, Rng rng, std::optional<Generator>& own,
              std::span<std::int64_t> order);

/// A pass in the given order: draws the base seed alone.
void unshuffled_pass(Generator& generator);

}  // namespace unroll::data
