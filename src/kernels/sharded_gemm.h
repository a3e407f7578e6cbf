// Matrix products whose sums are cut into the shards of a batch, on all threads.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/parallel.h"
#include "core/shards.h"
#include "kernels/parallel_gemm.h"
#include "kernels/table.h"

namespace unroll::kernels {

/// The sums over shards of one tile of a product. They are on the stack, and fit in the
/// second-level cache.
template <class T>
class ShardedTile {
 public:
  static constexpr std::size_t kColumns = 64;

  /// The most rows of a tile for so many shards.
  static std::size_t most_rows(std::size_t shards) {
    return kSums / (kColumns * tree_level(shards - 1));
  }

  /// A chain for each shard, and the tree. A node of 2^j shards is in level j, so a product never
  /// adds the numbers in its own place.
  void run(const Kernels<T>& kernels, const Gemm<T>& tile, const Shards& shards) noexcept {
    const std::size_t size = tile.rows * kColumns, last = shards.count() - 1;
    for (std::size_t k = 0; k <= last; ++k) {
      const std::size_t level = tree_level(k);
      const auto first = static_cast<std::ptrdiff_t>(shards.begin(k));
      Gemm<T> g = tile;
      g.products[0].a += first * g.products[0].a_k;
      g.products[0].b += first * g.products[0].b_k;
      g.products[0].depth = shards.size(k);
      if (level > 0) {
        g.epilogue = Epilogue::add;
        g.saved = sums_;
        g.saved_row = kColumns;
        g.saved_count = level;
        g.saved_next = static_cast<std::ptrdiff_t>(size);
      }
      if (k < last) {
        g.out = sums_ + level * size;
        g.out_row = kColumns;
      }
      kernels.gemm(g);
    }
  }

 private:
  static constexpr std::size_t kSums = 64 * 1024 / sizeof(T);
  alignas(64) T sums_[kSums];  // levels of tile.rows x kColumns
};

/// parallel_gemm with the tree over shards in place of one chain. `g` has one product with
/// shards.rows() as its depth, and neither init nor epilogue.
template <class T>
void sharded_gemm(const Gemm<T>& g, const Shards& shards) {
  if (shards.count() == 1 || g.columns == 0) return parallel_gemm(g);
  using Tile = ShardedTile<T>;
  constexpr std::size_t kVector = 16;  // only the last tile has a part of a vector
  constexpr std::size_t kLeastRows = 24;
  const Kernels<T>& kernels = table<T>();
  const auto pieces = [](std::size_t count, std::size_t most) { return (count + most - 1) / most; };
  const bool share = worth_sharing(g);
  const std::size_t vectors = pieces(g.columns, kVector),
                    across = pieces(vectors * kVector, Tile::kColumns),
                    wanted =
                        pieces(share ? 2 * static_cast<std::size_t>(threads_here()) : 1, across),
                    down = std::max(pieces(g.rows, Tile::most_rows(shards.count())),
                                    std::min(wanted, g.rows / kLeastRows));
  const auto run = [&](std::size_t index) {
    const std::size_t i = index / across, j = index % across;
    const std::size_t row = i * g.rows / down, column = j * vectors / across * kVector;
    Gemm<T> part = part_of(g, row, (i + 1) * g.rows / down - row, column);
    part.columns = std::min((j + 1) * vectors / across * kVector, g.columns) - column;
    Tile tile;
    tile.run(kernels, part, shards);
  };
  if (share) return parallel(down * across, run);
  for (std::size_t index = 0; index < down * across; ++index) run(index);
}

}  // namespace unroll::kernels
