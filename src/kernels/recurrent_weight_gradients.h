// The gradients of a recurrent layer's weights and biases: their operands and places.
#pragma once

#include "kernels/add_blocks.h"
#include "kernels/recurrent_gradients.h"

namespace unroll::kernels {

/// dz of all steps, which backward leaves in place of the sums.
template <class T>
T* sums_of(const RecurrentBackward<T>& call, const SavedLayout& saved,
           const ScratchLayout& scratch) {
  return call.shape.fused() ? call.scratch + scratch.z : call.saved + saved.z;
}

template <class T>
class WeightGradients {
 public:
  WeightGradients(const RecurrentBackward<T>& call, const TimeAxis& time)
      : call_(call),
        s_(call.shape),
        shards_(s_.shards()),
        sums_(s_),
        saved_(s_, s_.steps),
        scratch_(s_),
        gradient_(s_),
        time_(time),
        totals_(s_, time) {}

  /// Adds the steps end - 1 .. begin to the gradients of a shard, which has a block of its own.
  void sum_shard(std::size_t shard, Rows rows, std::size_t begin, std::size_t end) const {
    T* const block = call_.gradients + shard * gradient_.size;
    const Range range{begin, end, rows};
    const bool set = end == s_.steps;
    const Sources sources = in_memory();
    for_products(sources, [&](const Features& left, const Features& right, std::size_t place,
                              std::size_t row, bool before) {
      add(left.all(), right.all(), before ? first_state({0, s_.output()}) : Side<T>{}, range,
          {block + place, row, set}, before);
    });
    for_biases(sources, [&](const Features& sums, std::size_t place) {
      totals_.add_bias(sums.all(), range, {block + place, 0, set});
    });
  }

  /// The tree over the blocks of all shards, after the last step. The first block gets the sum.
  void add_shards() const {
    multiply_blocks(shards_.count());
    add_blocks(call_.gradients, shards_.count(), gradient_.size);
  }

  /// Adds the steps end - 1 .. begin to the gradients of all shards, tile by tile on all threads.
  /// After the last step the first block has the sum of all shards.
  void sum_tiles(const TilePlan& plan, std::size_t begin, std::size_t end) const {
    const Sources sources = plan.in_panels ? in_panels(begin, end) : in_memory();
    if (plan.blocks == 1 && shards_.count() > 1) return sum_trees(sources);
    // The operands of a tile fit in the second-level cache. Small weights have small tiles, so that
    // all threads get some.
    const std::size_t tile_rows = s_.large() ? Panels::kWidth : 16, tile_columns = 256;
    const auto range = [&](std::size_t shard) { return Range{begin, end, rows_of(shard)}; };
    const auto block = [&](std::size_t shard) { return call_.gradients + shard * gradient_.size; };
    const bool set = end == s_.steps;
    for_products(sources, [&](const Features& left, const Features& right, std::size_t place,
                              std::size_t row, bool before) {
      const Tiles down(left, tile_rows), across(right, tile_columns);
      const std::size_t tiles = down.count * across.count;
      parallel(tiles * plan.blocks, [&](std::size_t task) {
        const std::size_t tile = task % tiles, shard = task / tiles;
        const Columns i = down[tile / across.count];
        const Columns columns = across[tile % across.count];
        right.of.panels.for_parts(columns.begin, columns.end, [&](std::size_t j, std::size_t last) {
          T* const to = block(shard) + place + (i.begin - left.begin) * row + j - right.begin;
          add(left.of.part(i), right.of.part({j, last}),
              before ? first_state({j, last}) : Side<T>{}, range(shard), {to, row, set}, before);
        });
      });
    });
    for_biases(sources, [&](const Features& sums, std::size_t place) {
      const Tiles tiles(sums, Panels::kWidth);
      parallel(tiles.count * plan.blocks, [&](std::size_t task) {
        const Columns j = tiles[task % tiles.count];
        const std::size_t shard = task / tiles.count;
        totals_.add_bias(sums.of.part(j), range(shard),
                         {block(shard) + place + j.begin - sums.begin, 0, set});
      });
    });
    if (begin > 0) return;
    if (plan.blocks > 1)
      add_shards();
    else
      multiply_blocks(1);
  }

 private:
  /// An operand of sums: all features at every step.
  struct Source {
    Sequence<const T> numbers;  // in the first panel
    Panels panels;
    std::size_t features;
    std::size_t first_t;

    /// Some features, in one panel.
    Side<T> part(Columns columns) const {
      Side<T> side{numbers, columns.count(), first_t};
      if (side.numbers.data) side.numbers.data += panels.place(columns.begin);
      return side;
    }
  };
  struct Sources {
    Source dz, input, state, projected, unprojected;
  };
  /// Some features of a source.
  struct Features {
    const Source& of;
    std::size_t begin, end;
    Side<T> all() const { return of.part({begin, end}); }
  };
  /// Features in tiles. A tile begins where a panel begins.
  struct Tiles {
    Tiles(const Features& of, std::size_t width)
        : columns(of),
          size(width),
          first(columns.begin / size),
          count((columns.end + size - 1) / size - first) {}
    Columns operator[](std::size_t i) const {
      return {std::max(columns.begin, (first + i) * size),
              std::min(columns.end, (first + i + 1) * size)};
    }
    const Features& columns;
    std::size_t size, first, count;
  };

  Source source(const T* data, std::size_t row, std::size_t features) const {
    return source(
        {data, static_cast<std::ptrdiff_t>(s_.batch * row), static_cast<std::ptrdiff_t>(row)},
        features);
  }
  static Source source(const Sequence<const T>& numbers, std::size_t features) {
    return {numbers, {features + 1, 0}, features, 0};  // one panel
  }
  Sources in_memory() const {
    Sources all;
    all.dz = source(sums_of(call_, saved_, scratch_), sums_.row, sums_.products_end);
    all.input = source(call_.input, s_.input);
    // The states that the products read, with their factors.
    all.state = s_.state_dropout
                    ? source(call_.saved + saved_.masked, saved_.output_row, s_.output())
                    : source(call_.output, s_.output());
    all.projected = source(call_.scratch + scratch_.dh_all, saved_.output_row, s_.projection);
    all.unprojected =
        source(call_.saved + saved_.unprojected, saved_.hidden_row, s_.projection ? s_.hidden : 0);
    return all;
  }
  /// Copies of the operands for the steps end - 1 .. begin.
  Sources in_panels(std::size_t begin, std::size_t end) const {
    Sources all = in_memory();
    T* place = call_.scratch + scratch_.panels;
    for (Source* source : {&all.dz, &all.input, &all.projected, &all.unprojected})
      place = copy(*source, begin, end, place);
    // the state before each step
    copy(all.state, std::max<std::size_t>(begin, 1) - 1, end - 1, place);
    return all;
  }
  /// Replaces a source by a copy of its steps end - 1 .. begin in panels. Returns the place after
  /// the copy.
  T* copy(Source& source, std::size_t begin, std::size_t end, T* to) const {
    if (begin == end) return to;
    const Source from = source;
    constexpr std::size_t width = Panels::kWidth;
    source.first_t = std::min(time_.t(begin), time_.t(end - 1));
    source.numbers = {to, static_cast<std::ptrdiff_t>(s_.batch * width), width};
    source.panels = {width, (end - begin) * s_.batch * width};
    parallel(source.panels.count(from.features), [&](std::size_t panel) {
      const std::size_t first = panel * width, last = std::min(first + width, from.features);
      T* step = to + panel * source.panels.stride;
      for (std::size_t t = source.first_t; t < source.first_t + end - begin; ++t) {
        const Rows rows = time_.active(time_.t(t), {0, s_.batch});
        for (std::size_t n = rows.begin; n < rows.end; ++n)
          std::copy_n(from.numbers.at(t, n) + first, last - first, step + n * width);
        step += s_.batch * width;
      }
    });
    return to + source.panels.size(from.features);
  }
  Side<T> first_state(Columns columns) const {
    const bool masked = s_.state_dropout && call_.h_0;
    const Sequence<const T> numbers{
        masked ? call_.saved + saved_.masked_0 : call_.h_0, 0,
        static_cast<std::ptrdiff_t>(masked ? saved_.output_row : s_.output())};
    return source(numbers, s_.output()).part(columns);
  }

  /// Calls f(left, right, place, row, before) for every weight's gradient, which is a product of
  /// left and right. `before`: right is the state before the step.
  template <class F>
  void for_products(const Sources& from, F f) const {
    const Features of_input{from.dz, 0, sums_.gates}, input{from.input, 0, s_.input},
        state{from.state, 0, s_.output()};
    if (gradient_.ih_row == 1)
      f(input, of_input, gradient_.place[WeightRole::weight_ih], gradient_.ih_column, false);
    else
      f(of_input, input, gradient_.place[WeightRole::weight_ih], gradient_.ih_row, false);
    for (int i = 0; i < sums_.state_parts; ++i) {
      const Sums::Part& part = sums_.state[i];
      f(Features{from.dz, part.column, part.column + part.count}, state,
        gradient_.place[WeightRole::weight_hh] + part.weight_row * s_.output(), s_.output(), true);
    }
    if (s_.projection)
      f(Features{from.projected, 0, s_.projection}, Features{from.unprojected, 0, s_.hidden},
        gradient_.place[WeightRole::weight_hr], s_.hidden, false);
  }
  /// Calls f(dz, place) for the biases. In a normalised layer these are summed elsewhere.
  template <class F>
  void for_biases(const Sources& from, F f) const {
    if (!s_.bias || s_.layer_norm) return;
    f(Features{from.dz, 0, sums_.gates}, gradient_.place[WeightRole::bias_ih]);
    if (gradient_.place[WeightRole::bias_hh] == gradient_.place[WeightRole::bias_ih]) return;
    for (int i = 0; i < sums_.state_parts; ++i) {
      const Sums::Part& part = sums_.state[i];
      f(Features{from.dz, part.column, part.column + part.count},
        gradient_.place[WeightRole::bias_hh] + part.weight_row);
    }
  }

  // The sum of a tile for each shard, and their tree while it is in the cache.

  static constexpr std::size_t kTreeRows = 256 / sizeof(T), kTreeColumns = Panels::kWidth;

  /// Sums all steps of all shards into the first block. A tile is part of one panel.
  void sum_trees(const Sources& sources) const {
    const auto range = [&](std::size_t shard) { return Range{0, s_.steps, rows_of(shard)}; };
    for_products(sources, [&](const Features& left, const Features& right, std::size_t place,
                              std::size_t row, bool before) {
      const Tiles down(left, kTreeRows), across(right, kTreeColumns);
      parallel(down.count * across.count, [&](std::size_t tile) {
        const Columns i = down[tile % down.count], j = across[tile / down.count];
        const std::size_t offset = place + (i.begin - left.begin) * row + j.begin - right.begin;
        const Extent extent{i.count(), j.count()};
        tree(extent, {call_.gradients + offset, static_cast<std::ptrdiff_t>(row)},
             [&](std::size_t shard, Matrix<T> to) {
               add(left.of.part(i), right.of.part(j), before ? first_state(j) : Side<T>{},
                   range(shard), {to.data, static_cast<std::size_t>(to.row), true}, before);
               if (before) multiply(extent, to, offset, row);
             });
      });
    });
    for_biases(sources, [&](const Features& sums, std::size_t place) {
      const Tiles tiles(sums, kTreeColumns);
      parallel(tiles.count, [&](std::size_t tile) {
        const Columns j = tiles[tile];
        tree({1, j.count()}, {call_.gradients + place + j.begin - sums.begin, 0},
             [&](std::size_t shard, Matrix<T> to) {
               totals_.add_bias(sums.of.part(j), range(shard), {to.data, 0, true});
             });
      });
    });
  }

  /// Calls sum(shard, to) for each shard, which writes a tile, and adds the tiles in tree order.
  /// `out` gets the sum.
  template <class F>
  void tree(Extent extent, Matrix<T> out, F sum) const {
    T slots[(tree_slots(Shards::most) - 1) * kTreeRows * kTreeColumns];
    const auto place = [&](std::size_t shard) {
      const std::size_t slot = tree_slot(shard);
      if (slot == 0) return out;
      return Matrix<T>{slots + (slot - 1) * kTreeRows * kTreeColumns, kTreeColumns};
    };
    tree_sum(
        shards_.count(), [&](std::size_t shard) { sum(shard, place(shard)); },
        [&](std::size_t left, std::size_t right) {
          const Matrix<T> from = place(right);
          table<T>().rows.add(extent, place(left), {from.data, from.row});
        });
  }

  /// Multiplies a part of weight_hh's gradient by its factors. `offset` is its place in a block.
  void multiply(Extent extent, Matrix<T> part, std::size_t offset, std::size_t row) const {
    if (!call_.weight_hh_factors) return;
    const T* const factors =
        call_.weight_hh_factors + (offset - gradient_.place[WeightRole::weight_hh]);
    table<T>().rows.multiply(extent, part, {part.data, part.row},
                             {factors, static_cast<std::ptrdiff_t>(row)});
  }
  void multiply_blocks(std::size_t blocks) const {
    if (!call_.weight_hh_factors) return;
    const std::size_t rows = sums_.gates, columns = s_.output(),
                      place = gradient_.place[WeightRole::weight_hh];
    parallel(blocks * rows, [&](std::size_t i) {
      const std::size_t offset = place + i % rows * columns;
      T* const to = call_.gradients + i / rows * gradient_.size + offset;
      multiply({1, columns}, {to, 0}, offset, columns);
    });
  }

  Rows rows_of(std::size_t shard) const { return {shards_.begin(shard), shards_.begin(shard + 1)}; }

  void add(const Side<T>& left, const Side<T>& right, const Side<T>& first, const Range& range,
           typename GradientSums<T>::Sum sum, bool before) const {
    if (before)
      totals_.add_before(left, right, first, range, sum);
    else
      totals_.add(left, right, range, sum);
  }

  const RecurrentBackward<T>& call_;
  const RecurrentShape& s_;
  const Shards shards_;
  const Sums sums_;
  const SavedLayout saved_;
  const ScratchLayout scratch_;
  const GradientLayout gradient_;
  const TimeAxis& time_;
  const GradientSums<T> totals_;
};

}  // namespace unroll::kernels
