// Where a stack keeps what in its memory, and the passes of its layers.
#pragma once

#include <algorithm>

#include "core/parallel.h"
#include "kernels/recurrent_time.h"
#include "kernels/stack.h"

namespace unroll::kernels {

/// The factors of a layer and direction; none if the call has none. Only training has some.
template <class T>
LayerFactors<T> factors_of(const StackCall<T>& call, std::size_t index) {
  return !kTraining || call.factors.empty() ? LayerFactors<T>{} : call.factors[index];
}

/// The factors of a layer's input.
template <class T>
Sequence<const T> input_factors(const StackCall<T>& call, std::size_t layer) {
  return factors_of(call, layer * call.shape.directions).input;
}

template <class T>
RecurrentMasks<T> masks_of(const StackCall<T>& call, std::size_t index) {
  RecurrentMasks<T> masks = factors_of(call, index).masks;
  masks.zone_h_rate = call.zone_h_rate;
  masks.zone_c_rate = call.zone_c_rate;
  return masks;
}

template <class T>
RecurrentShape shape_of(const StackCall<T>& call, std::size_t layer, std::size_t direction) {
  RecurrentShape shape = call.shape.of(layer, direction);
  const RecurrentMasks<T> masks = masks_of(call, layer * call.shape.directions + direction);
  shape.zoneout =
      masks.zone_h.data || masks.zone_c.data || masks.zone_h_rate > 0 || masks.zone_c_rate > 0;
  shape.state_dropout = masks.state != nullptr;
  return shape;
}

/// The columns of one direction in the states of a layer.
template <class T>
Sequence<T> of_direction(Sequence<T> states, const StackShape& shape, std::size_t direction) {
  if (states.data) states.data += direction * shape.first.output();
  return states;
}

/// The row of states of a layer and direction; null if there are none.
template <class T, class U>
U* state_at(const StackCall<T>& call, U* states, std::size_t index, std::size_t columns) {
  const std::size_t rows = std::max(call.state_rows, call.shape.first.batch);
  return states ? states + index * rows * columns : nullptr;
}

/// Calls f(t, n) for the rows of all sequences, on all threads. `columns` is the size of a row.
template <class F>
void for_rows(const RecurrentShape& shape, std::size_t columns, F f) {
  constexpr std::size_t kElementsPerTask = std::size_t{1} << 14;
  const TimeAxis time(shape);
  const std::size_t steps =
      std::max<std::size_t>(1, kElementsPerTask / std::max<std::size_t>(1, shape.batch * columns));
  parallel_pieces(shape.steps, steps, [&](std::size_t begin, std::size_t end) {
    for (std::size_t s = begin; s < end; ++s)
      for (std::size_t n = 0; n < time.active(s, {0, shape.batch}).end; ++n) f(time.t(s), n);
  });
}

/// The places in StackCall::memory.
template <class T>
class StackMemory {
 public:
  StackMemory(const StackCall<T>& call, Keep keep)
      : call_(call), keeps_(keep == Keep::for_backward) {
    const StackShape& stack = call.shape;
    const RecurrentShape& first = stack.first;
    slots_ = keeps_ ? first.steps : std::min<std::size_t>(2, first.steps);
    for (std::size_t index = 0; index < stack.count(); ++index) {
      const RecurrentShape shape =
          shape_of(call, index / stack.directions, index % stack.directions);
      saved_ = std::max(saved_, RecurrentPlan(shape).saved_size(shape, slots_));
    }
    row_ = padded_row(stack.width());
    outputs_ = (keeps_ ? stack.count() : 1) * saved_;
    // Layers alternate between two buffers, if nothing is kept.
    const std::size_t between = stack.layers - 1;
    last_ = outputs_ + (keeps_ ? between : std::min<std::size_t>(between, 2)) * step_rows() * row_;
    products_ = last_ + (call.output.data ? 0 : slots_ * first.batch * row_);
    size_ = products_;
    for (std::size_t l = 0; l < stack.layers; ++l) {
      if (!input_factors(call, l).data) continue;
      const std::size_t size = step_rows() * padded_row(stack.input(l));
      size_ = keeps_ ? size_ + size : std::max(size_, products_ + size);
    }
  }

  std::size_t size() const { return size_; }
  std::size_t slots() const { return slots_; }
  /// The number of steps of a layer's output that are kept.
  std::size_t output_slots(std::size_t layer) const {
    return layer + 1 < call_.shape.layers || call_.output.data ? call_.shape.first.steps : slots_;
  }

  /// What the passes of a layer and direction keep besides h.
  T* saved(std::size_t index) const { return call_.memory + (keeps_ ? index * saved_ : 0); }
  /// The output of a layer, (T, N, D P).
  Sequence<T> output(std::size_t layer) const {
    if (layer + 1 < call_.shape.layers)
      return dense(outputs_ + (keeps_ ? layer : layer % 2) * step_rows() * row_, row_);
    return call_.output.data ? call_.output : dense(last_, row_);
  }
  /// The input of a layer, before its factors.
  Sequence<const T> input(std::size_t layer) const {
    return layer == 0 ? call_.input : Sequence<const T>(output(layer - 1));
  }
  /// The input of a layer times its factors.
  Sequence<T> product(std::size_t layer) const {
    std::size_t place = products_;
    for (std::size_t l = 0; keeps_ && l < layer; ++l)
      if (input_factors(call_, l).data) place += step_rows() * padded_row(call_.shape.input(l));
    return dense(place, padded_row(call_.shape.input(layer)));
  }
  /// What the passes of a layer read.
  Sequence<const T> read(std::size_t layer) const {
    return input_factors(call_, layer).data ? Sequence<const T>(product(layer)) : input(layer);
  }

 private:
  std::size_t step_rows() const { return call_.shape.first.steps * call_.shape.first.batch; }
  Sequence<T> dense(std::size_t place, std::size_t row) const {
    return {call_.memory + place, static_cast<std::ptrdiff_t>(call_.shape.first.batch * row),
            static_cast<std::ptrdiff_t>(row)};
  }

  const StackCall<T>& call_;
  const bool keeps_;
  std::size_t slots_ = 0, saved_ = 0, row_ = 0, outputs_ = 0, last_ = 0, products_ = 0, size_ = 0;
};

}  // namespace unroll::kernels
