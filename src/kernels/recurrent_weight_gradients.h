// The gradients of a recurrent layer's weights and biases: which sums they are, and where they go.
#pragma once

#include "kernels/recurrent_gradients.h"

namespace unroll::kernels {

/// All steps' dz: what backward leaves of the sums.
template <class T>
T* sums_of(const RecurrentBackward<T>& call, const SavedLayout& saved,
           const ScratchLayout& scratch) {
  return call.shape.fused() ? call.scratch + scratch.z : call.saved + saved.z;
}

/// Adds blocks pairwise: 0+1, 2+3, ..., then 0+2, ..., until all are in the first.
template <class T>
void add_blocks(T* blocks, std::size_t size, std::size_t count) {
  constexpr std::size_t kPiece = 1024;
  parallel((size + kPiece - 1) / kPiece, [&](std::size_t piece) {
    const std::size_t begin = piece * kPiece, end = std::min(size, begin + kPiece);
    for (std::size_t distance = 1; distance < count; distance *= 2)
      for (std::size_t i = 0; i + distance < count; i += 2 * distance) {
        T* to = blocks + i * size;
        const T* from = blocks + (i + distance) * size;
        for (std::size_t e = begin; e < end; ++e) to[e] += from[e];
      }
  });
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
        totals_(s_, time) {}

  /// A slice's own gradients, further by the steps end - 1 .. begin.
  void sum_slice(std::size_t slice, Rows rows, std::size_t begin, std::size_t end) const {
    T* const block = call_.gradients + slice * gradient_.size;
    const Range range{begin, end, rows};
    const bool set = end == s_.steps;
    for_products([&](const Side<T>& left, const Side<T>& right, std::size_t place, std::size_t row,
                     bool before) {
      add(left, right, before ? first_state() : Side<T>{}, range, {block + place, row, set},
          before);
    });
    for_biases([&](const Side<T>& sums, std::size_t place) {
      totals_.add_bias(sums, range, {block + place, 0, set});
    });
  }

  void add_slices(std::size_t slices) const { add_blocks(call_.gradients, gradient_.size, slices); }

  /// The layer's one gradient, further by the steps end - 1 .. begin, on all threads.
  void sum_tiles(std::size_t begin, std::size_t end) const {
    // What goes into a tile fits the second-level cache.
    constexpr std::size_t kTileRows = 64, kTileColumns = 256;
    const Range range{begin, end, {0, s_.batch}};
    const bool set = end == s_.steps;
    for_products([&](const Side<T>& left, const Side<T>& right, std::size_t place, std::size_t row,
                     bool before) {
      const std::size_t down = (left.features + kTileRows - 1) / kTileRows,
                        across = (right.features + kTileColumns - 1) / kTileColumns;
      parallel(down * across, [&](std::size_t tile) {
        const std::size_t i = tile / across * kTileRows, j = tile % across * kTileColumns;
        add(part_of(left, i, kTileRows), part_of(right, j, kTileColumns),
            before ? part_of(first_state(), j, kTileColumns) : Side<T>{}, range,
            {call_.gradients + place + i * row + j, row, set}, before);
      });
    });
    for_biases([&](const Side<T>& sums, std::size_t place) {
      parallel((sums.features + kTileColumns - 1) / kTileColumns, [&](std::size_t tile) {
        const std::size_t j = tile * kTileColumns;
        totals_.add_bias(part_of(sums, j, kTileColumns), range,
                         {call_.gradients + place + j, 0, set});
      });
    });
  }

 private:
  Side<T> side(const T* data, std::size_t row, std::size_t features) const {
    return {{data, static_cast<std::ptrdiff_t>(s_.batch * row), static_cast<std::ptrdiff_t>(row)},
            features};
  }
  Side<T> dz(std::size_t column, std::size_t count) const {
    return side(sums_of(call_, saved_, scratch_) + column, sums_.row, count);
  }
  Side<T> input() const { return {call_.input, s_.input}; }
  /// The states as the products took them.
  Side<T> state() const {
    if (s_.state_dropout) return side(call_.saved + saved_.masked, saved_.output_row, s_.output());
    return {call_.output, s_.output()};
  }
  Side<T> first_state() const {
    const bool masked = s_.state_dropout && call_.h_0;
    return side(masked ? call_.saved + saved_.masked_0 : call_.h_0,
                masked ? saved_.output_row : s_.output(), s_.output());
  }

  /// Calls f(left, right, place, row, before) for every product that is a gradient: of the weights
  /// from (H or P or I) numbers; `before`: with the state before a step.
  template <class F>
  void for_products(F f) const {
    const Side<T> of_input = dz(0, sums_.gates);
    if (gradient_.ih_row == 1)
      f(input(), of_input, gradient_.weight_ih, gradient_.ih_column, false);
    else
      f(of_input, input(), gradient_.weight_ih, gradient_.ih_row, false);
    for (int i = 0; i < sums_.state_parts; ++i) {
      const Sums::Part& part = sums_.state[i];
      f(dz(part.column, part.count), state(), gradient_.weight_hh + part.weight_row * s_.output(),
        s_.output(), true);
    }
    if (s_.projection)
      f(side(call_.scratch + scratch_.dh_all, saved_.output_row, s_.projection),
        side(call_.saved + saved_.unprojected, saved_.hidden_row, s_.hidden), gradient_.weight_hr,
        s_.hidden, false);
  }
  /// f(dz, place) for the biases; those of a normalised layer are summed elsewhere.
  template <class F>
  void for_biases(F f) const {
    if (!s_.bias || s_.layer_norm) return;
    f(dz(0, sums_.gates), gradient_.bias_ih);
    if (gradient_.bias_hh == gradient_.bias_ih) return;
    for (int i = 0; i < sums_.state_parts; ++i)
      f(dz(sums_.state[i].column, sums_.state[i].count),
        gradient_.bias_hh + sums_.state[i].weight_row);
  }

  void add(const Side<T>& left, const Side<T>& right, const Side<T>& first, const Range& range,
           typename GradientSums<T>::Sum sum, bool before) const {
    if (before)
      totals_.add_before(left, right, first, range, sum);
    else
      totals_.add(left, right, range, sum);
  }

  static Side<T> part_of(Side<T> side, std::size_t first, std::size_t count) {
    if (side.at.data) side.at.data += first;
    side.features = std::min(count, side.features - first);
    return side;
  }

  const RecurrentBackward<T>& call_;
  const RecurrentShape& s_;
  const Sums sums_;
  const SavedLayout saved_;
  const ScratchLayout scratch_;
  const GradientLayout gradient_;
  const GradientSums<T> totals_;
};

}  // namespace unroll::kernels
