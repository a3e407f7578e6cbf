// The shards of a batch, and the tree in which their sums meet: the one rule for sums over a batch
// (docs/numerics.md).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>

namespace unroll {

/// A batch of N rows, cut into K shards of adjacent rows; or a node of the tree over these shards.
/// K is a power of two. Shard k has the rows floor(k N / K) .. floor((k + 1) N / K) - 1.
///
/// A sum over the rows of a batch is one sum for each shard, and then the tree (tree_sum). So it
/// depends only on N and K: whoever computes a node of the tree gets the same bits.
class Shards {
 public:
  static constexpr std::size_t most = 1024;

  /// K = min(64, bit_floor(N / 16)), at least 1.
  static std::size_t usual(std::size_t rows) {
    return std::clamp<std::size_t>(std::bit_floor(rows / 16), 1, 64);
  }

  /// One shard without rows.
  Shards() = default;
  explicit Shards(std::size_t rows) : Shards(rows, usual(rows)) {}
  /// `shards` is a power of two. A batch with fewer rows has fewer shards.
  Shards(std::size_t rows, std::size_t shards)
      : whole_rows_(rows),
        whole_(std::min(shards, std::max<std::size_t>(std::bit_floor(rows), 1))),
        count_(whole_) {}

  /// The node with the shards first .. first + size - 1. size is a power of two, and first a
  /// multiple of it.
  Shards node(std::size_t first, std::size_t size) const {
    Shards part = *this;
    part.first_ = first_ + first;
    part.count_ = size;
    return part;
  }
  /// The same shards with `factor` rows in place of each row, such as the time steps of a sequence.
  Shards times(std::size_t factor) const {
    Shards part = *this;
    part.factor_ = factor_ * factor;
    return part;
  }

  std::size_t count() const { return count_; }
  std::size_t rows() const { return begin(count_); }
  /// The first row of shard k, counted from the first row of this node. begin(count()) is rows().
  std::size_t begin(std::size_t k) const { return bound(first_ + k) - bound(first_); }
  std::size_t size(std::size_t k) const { return begin(k + 1) - begin(k); }

  /// The place of this node in the whole batch.
  std::size_t first_row() const { return bound(first_); }
  std::size_t whole_rows() const { return factor_ * whole_rows_; }

 private:
  std::size_t bound(std::size_t k) const { return k * whole_rows_ / whole_ * factor_; }

  std::size_t whole_rows_ = 0, whole_ = 1;  // N, K
  std::size_t first_ = 0, count_ = 1, factor_ = 1;
};

/// The largest node that ends with this shard has 2^tree_level(shard) shards.
constexpr std::size_t tree_level(std::size_t shard) {
  return static_cast<std::size_t>(std::countr_one(shard));
}

/// Adds the sums of `count` shards (a power of two) in the order of the tree: 0+1, 2+3,
/// (0+1)+(2+3), and so on.
///
/// Calls term(k) for each shard in turn, which computes its sum, and add(left, right) for each
/// inner node: it adds the node that begins with shard `right` to the one that begins with `left`.
/// At most tree_slots(count) sums wait at once; the node that begins with shard k fits in slot
/// tree_slot(k). The whole sum is in slot 0.
template <class Term, class Add>
void tree_sum(std::size_t count, Term&& term, Add&& add) {
  for (std::size_t k = 0; k < count; ++k) {
    term(k);
    for (std::size_t level = 0; level < tree_level(k); ++level)
      add(k + 1 - (std::size_t{2} << level), k + 1 - (std::size_t{1} << level));
  }
}

constexpr std::size_t tree_slot(std::size_t shard) {
  return static_cast<std::size_t>(std::popcount(shard));
}
constexpr std::size_t tree_slots(std::size_t count) {
  return static_cast<std::size_t>(std::bit_width(count));
}

}  // namespace unroll
