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
        sums_(s_),
        saved_(s_, s_.steps),
        scratch_(s_),
        gradient_(s_),
        time_(time),
        totals_(s_, time) {}

  /// Adds the steps end - 1 .. begin to a slice's own gradients.
  void sum_slice(std::size_t slice, Rows rows, std::size_t begin, std::size_t end) const {
    T* const block = call_.gradients + slice * gradient_.size;
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

  void add_slices(std::size_t slices) const { add_blocks(call_.gradients, slices, gradient_.size); }

  /// Adds the steps end - 1 .. begin to the layer's shared gradient, on all threads.
  void sum_tiles(std::size_t begin, std::size_t end) const {
    // The operands of a tile fit in the second-level cache.
    constexpr std::size_t kTileRows = Panels::kWidth, kTileColumns = 256;
    const Range range{begin, end, {0, s_.batch}};
    const bool set = end == s_.steps;
    const Sources sources = s_.bf16 ? in_memory() : in_panels(begin, end);
    for_products(sources, [&](const Features& left, const Features& right, std::size_t place,
                              std::size_t row, bool before) {
      const Tiles down(left, kTileRows), across(right, kTileColumns);
      parallel(down.count * across.count, [&](std::size_t tile) {
        const Columns i = down[tile / across.count];
        const Columns columns = across[tile % across.count];
        right.of.panels.for_parts(columns.begin, columns.end, [&](std::size_t j, std::size_t last) {
          T* const to = call_.gradients + place + (i.begin - left.begin) * row + j - right.begin;
          add(left.of.part(i), right.of.part({j, last}),
              before ? first_state({j, last}) : Side<T>{}, range, {to, row, set}, before);
        });
      });
    });
    for_biases(sources, [&](const Features& sums, std::size_t place) {
      const Tiles tiles(sums, kTileRows);
      parallel(tiles.count, [&](std::size_t tile) {
        totals_.add_bias(sums.of.part(tiles[tile]), range,
                         {call_.gradients + place + tiles[tile].begin - sums.begin, 0, set});
      });
    });
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

  void add(const Side<T>& left, const Side<T>& right, const Side<T>& first, const Range& range,
           typename GradientSums<T>::Sum sum, bool before) const {
    if (before)
      totals_.add_before(left, right, first, range, sum);
    else
      totals_.add(left, right, range, sum);
  }

  const RecurrentBackward<T>& call_;
  const RecurrentShape& s_;
  const Sums sums_;
  const SavedLayout saved_;
  const ScratchLayout scratch_;
  const GradientLayout gradient_;
  const TimeAxis& time_;
  const GradientSums<T> totals_;
};

}  // namespace unroll::kernels
