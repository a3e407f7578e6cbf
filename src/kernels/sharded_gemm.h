// Matrix products whose sums are cut into the shards of a batch, on all threads.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/parallel.h"
#include "core/shards.h"
#include "kernels/parallel_gemm.h"
#include "kernels/table.h"

namespace unroll::kernels {

/// A tile of a product: one chain for each shard, added in the tree.
template <class T>
class ShardedTile {
 public:
  static constexpr std::size_t kRows = 24, kColumns = 64;

  /// `tile` has at most kRows rows and kColumns columns.
  static void run(const Kernels<T>& kernels, const Gemm<T>& tile, const Shards& shards) noexcept {
    T sums[tree_slots(Shards::most) - 1][kRows * kColumns];  // all slots but the first
    const auto place = [&](std::size_t k) -> Matrix<T> {
      const std::size_t slot = tree_slot(k);
      return slot == 0 ? Matrix<T>{tile.out, tile.out_row} : Matrix<T>{sums[slot - 1], kColumns};
    };
    const auto term = [&](std::size_t k) {
      Gemm<T> g = tile;
      const auto first = static_cast<std::ptrdiff_t>(shards.begin(k));
      g.products[0].a += first * g.products[0].a_k;
      g.products[0].b += first * g.products[0].b_k;
      g.products[0].depth = shards.size(k);
      g.out = place(k).data;
      g.out_row = place(k).row;
      kernels.gemm(g);
    };
    const auto add = [&](std::size_t left, std::size_t right) {
      const Matrix<T> from = place(right);
      kernels.rows.add({tile.rows, tile.columns}, place(left), {from.data, from.row});
    };
    tree_sum(shards.count(), term, add);
  }
};

/// parallel_gemm with the tree over the shards of the depth in place of one chain. `g` has one
/// product with `shards.rows()` as its depth, and neither init nor epilogue. The tree is added tile
/// by tile, while the sums of a tile are in the cache.
template <class T>
void sharded_gemm(const Gemm<T>& g, const Shards& shards) {
  using Tile = ShardedTile<T>;
  if (shards.count() == 1) return parallel_gemm(g);
  const Kernels<T>& kernels = table<T>();
  // Tiles of nearly equal size, with whole vectors in all but the last one.
  constexpr std::size_t kVector = 16;
  const std::size_t vectors = (g.columns + kVector - 1) / kVector;
  const std::size_t down = (g.rows + Tile::kRows - 1) / Tile::kRows;
  const std::size_t across = (vectors * kVector + Tile::kColumns - 1) / Tile::kColumns;
  const auto run = [&](std::size_t tile) {
    const std::size_t i = tile / across, j = tile % across;
    const std::size_t row = i * g.rows / down, column = j * vectors / across * kVector;
    Gemm<T> part = part_of(g, row, (i + 1) * g.rows / down - row, column);
    part.columns = std::min((j + 1) * vectors / across * kVector, g.columns) - column;
    Tile::run(kernels, part, shards);
  };
  if (worth_sharing(g)) return parallel(down * across, run);
  for (std::size_t tile = 0; tile < down * across; ++tile) run(tile);
}

}  // namespace unroll::kernels
