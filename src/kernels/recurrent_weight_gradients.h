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
    const Range range{begin, end, rows};
    const bool set = end == s_.steps;
    const Sources sources = in_memory();
    for_products(sources, [&](const Features& left, const Features& right, std::size_t place,
                              std::size_t row, bool before) {
      add(left.all(), right.all(), before ? first_state({0, s_.output()}) : Side<T>{}, range,
          {block(shard) + place, row, set}, before);
    });
    for_biases(sources, [&](const Features& sums, std::size_t place) {
      totals_.add_bias(sums.all(), range, {block(shard) + place, 0, set});
    });
    if (begin > 0) return;
    const std::size_t place = gradient_.place[WeightRole::weight_hh];
    multiply({sums_.gates, s_.output()}, block(shard) + place, place, s_.output());
  }

  /// The tree over the blocks of all shards, after the last step. The first block gets the sum.
  void add_shards() const { add_blocks(call_.gradients, shards_.count(), gradient_.size); }

  /// Adds the steps end - 1 .. begin to the gradients of all shards, tile by tile on all threads.
  /// After the last step the first block has the sum of all shards.
  void sum_tiles(const TilePlan& plan, std::size_t begin, std::size_t end) const {
    const Sources sources = plan.in_panels ? in_panels(begin, end) : in_memory();
    std::size_t tasks = 0;
    for_tasks(sources, plan, begin, end, [&](std::size_t count, auto&&) { tasks += count; });
    // All products at once, so that the threads meet once.
    parallel(tasks, [&](std::size_t task) {
      std::size_t first = 0;
      for_tasks(sources, plan, begin, end, [&](std::size_t count, auto&& run) {
        if (task >= first && task < first + count) run(task - first);
        first += count;
      });
    });
    if (plan.chunks > 1 && begin == 0) add_shards();
  }

 private:
  /// An operand of sums: all features at every step.
  struct Source {
    Sequence<const T> numbers;  // in the first panel
    Panels panels;
    std::size_t features;
    std::size_t first_t;
    std::size_t copied_steps = 0;  // of a copy, which has the rows of each shard together

    /// Some features of the shard with these rows, in one panel.
    Side<T> part(Columns columns, Rows rows) const {
      Side<T> side{numbers, columns.count(), first_t};
      if (!side.numbers.data) return side;
      side.numbers.data += panels.place(columns.begin);
      if (copied_steps == 0) return side;
      side.numbers.data += (copied_steps - 1) * rows.begin * panels.width;
      side.numbers.step *= static_cast<std::ptrdiff_t>(rows.count());
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
    Side<T> all() const { return of.part({begin, end}, {}); }
  };
  /// Features in tiles, which begin at multiples of their width. So a tile of at most a panel's
  /// width lies in one panel.
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
  /// the copy. A panel has the shards one after the other; in each its steps, the last first; in
  /// each step its rows. So the operands of a chain are adjacent.
  T* copy(Source& source, std::size_t begin, std::size_t end, T* to) const {
    if (begin == end) return to;
    const Source from = source;
    constexpr std::size_t width = Panels::kWidth;
    source.copied_steps = end - begin;
    source.first_t = time_.t(end - 1);
    source.numbers = {to, -time_.direction() * static_cast<std::ptrdiff_t>(width), width};
    source.panels = {width, (end - begin) * s_.batch * width};
    const std::size_t panels = source.panels.count(from.features);
    parallel(panels * shards_.count(), [&](std::size_t task) {
      const std::size_t panel = task % panels, first = panel * width,
                        last = std::min(first + width, from.features);
      const Rows all = rows_of(task / panels);
      T* step = to + panel * source.panels.stride + all.begin * (end - begin) * width;
      for (std::size_t s = end; s-- > begin; step += all.count() * width) {
        const Rows rows = time_.active(s, all);
        for (std::size_t n = rows.begin; n < rows.end; ++n)
          std::copy_n(from.numbers.at(time_.t(s), n) + first, last - first,
                      step + (n - all.begin) * width);
      }
    });
    return to + source.panels.size(from.features);
  }
  Side<T> first_state(Columns columns) const {
    const bool masked = s_.state_dropout && call_.h_0;
    const Sequence<const T> numbers{
        masked ? call_.saved + saved_.masked_0 : call_.h_0, 0,
        static_cast<std::ptrdiff_t>(masked ? saved_.output_row : s_.output())};
    return source(numbers, s_.output()).part(columns, {});
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

  T* block(std::size_t index) const { return call_.gradients + index * gradient_.size; }

  /// A part of the gradients, with its place in a block.
  struct Tile {
    std::size_t offset, row;
    Extent extent;
  };

  /// Calls visit(count, run) for each weight and bias: run(index) sums one of its `count` tiles.
  template <class F>
  void for_tasks(const Sources& sources, const TilePlan& plan, std::size_t begin, std::size_t end,
                 F visit) const {
    // The operands of a tile fit in the second-level cache. Small weights have small tiles, so that
    // all threads get some.
    const std::size_t tile_rows = s_.large() ? Panels::kWidth : 16, tile_columns = 256;
    const auto range = [&](std::size_t shard) { return Range{begin, end, rows_of(shard)}; };
    const bool set = end == s_.steps, last = begin == 0;
    for_products(sources, [&](const Features& left, const Features& right, std::size_t place,
                              std::size_t row, bool before) {
      const Tiles down(left, tile_rows), across(right, tile_columns);
      const std::size_t count = down.count * across.count;
      visit(tasks_of(plan, count), [&](std::size_t task) {
        const Columns i = down[task % count / across.count], j = across[task % across.count];
        const Tile tile{place + (i.begin - left.begin) * row + j.begin - right.begin,
                        row,
                        {i.count(), j.count()}};
        sum_tile(plan, tile, task / count, [&](std::size_t shard, T* to) {
          const Rows rows = rows_of(shard);
          right.of.panels.for_parts(j.begin, j.end, [&](std::size_t first, std::size_t after) {
            add(left.of.part(i, rows), right.of.part({first, after}, rows),
                before ? first_state({first, after}) : Side<T>{}, range(shard),
                {to + first - j.begin, row, set}, before);
          });
          if (before && last) multiply(tile.extent, to, tile.offset, row);
        });
      });
    });
    for_biases(sources, [&](const Features& sums, std::size_t place) {
      const Tiles tiles(sums, Panels::kWidth);
      visit(tasks_of(plan, tiles.count), [&](std::size_t task) {
        const Columns j = tiles[task % tiles.count];
        const Tile tile{place + j.begin - sums.begin, 0, {1, j.count()}};
        sum_tile(plan, tile, task / tiles.count, [&](std::size_t shard, T* to) {
          totals_.add_bias(sums.of.part(j, rows_of(shard)), range(shard), {to, 0, set});
        });
      });
    });
  }

  static std::size_t tasks_of(const TilePlan& plan, std::size_t tiles) {
    return plan.chunks > 1 ? plan.shards * tiles : tiles;
  }

  /// Sums a tile of one shard: sum(shard, to) adds it to the memory at `to`. A single chunk has the
  /// whole sums, so it takes all shards instead, and adds them while the tile is in the cache.
  template <class Sum>
  void sum_tile(const TilePlan& plan, const Tile& tile, std::size_t one_shard, Sum sum) const {
    if (plan.chunks > 1) return sum(one_shard, block(one_shard) + tile.offset);
    const auto place = [&](std::size_t shard) { return block(tree_slot(shard)) + tile.offset; };
    const auto row = static_cast<std::ptrdiff_t>(tile.row);
    tree_sum(
        plan.shards, [&](std::size_t shard) { sum(shard, place(shard)); },
        [&](std::size_t left, std::size_t right) {
          table<T>().rows.add(tile.extent, {place(left), row}, {place(right), row});
        });
  }

  /// Multiplies a part of weight_hh's gradient by its factors. `offset` is its place in a block.
  void multiply(Extent extent, T* part, std::size_t offset, std::size_t row) const {
    if (!call_.weight_hh_factors) return;
    const T* const factors =
        call_.weight_hh_factors + (offset - gradient_.place[WeightRole::weight_hh]);
    const auto distance = static_cast<std::ptrdiff_t>(row);
    table<T>().rows.multiply(extent, {part, distance}, {part, distance}, {factors, distance});
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
