// The order in which a loader visits samples, and the random numbers that a pass draws.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "unroll/core/random.h"

namespace unroll::data {

/// The order of one shuffled pass over n samples. First draws a base seed, which is not used here,
/// because PyTorch's DataLoader draws one for each iterator. Then draws a seed, whose own generator
/// makes permutation(n). Source: torch.utils.data.DataLoader and RandomSampler.
std::vector<std::int64_t> shuffled_order(Generator& generator, std::int64_t n);

/// Writes the order of such a seed into `order`. `own` keeps the generator, so that only the first
/// call allocates memory.
void order_of(std::uint64_t seed, Rng rng, std::optional<Generator>& own,
              std::span<std::int64_t> order);

/// The draws of a pass without shuffling: only the base seed.
void unshuffled_pass(Generator& generator);

}  // namespace unroll::data
