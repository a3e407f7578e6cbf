// Sums over a batch of one or several numbers at a time, by the rule of core/shards.h.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/shards.h"

namespace unroll {

/// The most numbers that sum_over_shards adds side by side.
inline constexpr std::size_t kShardSums = 256;

/// Writes the sums of `size` numbers over `count` shards to `sums`. Calls term(k, to) for each
/// shard in turn, which writes the shard's own sums.
template <class T, class Term>
void sum_over_shards(std::size_t count, std::size_t size, T* sums, Term&& term) {
  T slots[tree_slots(Shards::most)][kShardSums];
  tree_sum(
      count, [&](std::size_t k) { term(k, slots[tree_slot(k)]); },
      [&](std::size_t left, std::size_t right) {
        T *const to = slots[tree_slot(left)], *const from = slots[tree_slot(right)];
        for (std::size_t i = 0; i < size; ++i) to[i] += from[i];
      });
  std::copy_n(slots[0], size, sums);
}

}  // namespace unroll
