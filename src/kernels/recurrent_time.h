// The order of a recurrent layer's time steps, the active rows of each step, and the division of
// rows into tasks.
#pragma once

#include <algorithm>

#include "core/parallel.h"
#include "kernels/recurrent.h"

namespace unroll::kernels {

/// A range of sequences of the batch.
struct Rows {
  std::size_t begin, end;
  std::size_t count() const { return end - begin; }
};

/// The order of time: the s-th step that forward computes is time step t(s).
class TimeAxis {
 public:
  explicit TimeAxis(const RecurrentShape& shape) : shape_(shape) {}

  std::size_t t(std::size_t s) const { return shape_.reverse ? shape_.steps - 1 - s : s; }
  /// The difference between the index of a step and that of the one computed before it.
  std::ptrdiff_t direction() const { return shape_.reverse ? -1 : 1; }

  /// The rows whose sequences have the s-th step. They are the first of `rows`, because lengths
  /// descend.
  Rows active(std::size_t s, Rows rows) const { return first(rows, longer_than(t(s))); }
  /// The active rows that have a state from the step before.
  Rows continuing(std::size_t s, Rows rows) const {
    if (s == 0) return {rows.begin, rows.begin};
    return first(rows, std::min(longer_than(t(s)), longer_than(t(s - 1))));
  }
  /// The active rows whose sequence begins at this step.
  Rows starting(std::size_t s, Rows rows) const {
    return {continuing(s, rows).end, active(s, rows).end};
  }
  /// The active rows that continue to the next step.
  Rows leaving(std::size_t s, Rows rows) const {
    if (s + 1 == shape_.steps) return {rows.begin, rows.begin};
    return continuing(s + 1, rows);
  }
  /// The active rows whose sequence ends at this step.
  Rows ending(std::size_t s, Rows rows) const {
    return {leaving(s, rows).end, active(s, rows).end};
  }

 private:
  static Rows first(Rows rows, std::size_t end) {
    return {rows.begin, std::clamp(end, rows.begin, rows.end)};
  }
  /// The number of sequences that have time step t.
  std::size_t longer_than(std::size_t t) const {
    if (!shape_.lengths) return shape_.batch;
    const std::size_t* const end = shape_.lengths + shape_.batch;
    return static_cast<std::size_t>(
        std::partition_point(shape_.lengths, end, [t](std::size_t length) { return length > t; }) -
        shape_.lengths);
  }

  const RecurrentShape& shape_;
};

/// Whether the threads share the units of each step, in tiles, instead of the rows. Then the
/// weights are read once per step for all rows, not once per task. This pays for large weights,
/// which fit in no core's cache; the threads then meet at every step, which costs little in
/// comparison. No sum is split, so no bit changes.
inline bool steps_are_shared(const RecurrentShape& shape) {
  constexpr std::size_t kLargeWeights = std::size_t{1} << 22;  // elements, 16 MiB of f32
  constexpr std::size_t kFewRows = 128;                        // per thread
  const auto threads = static_cast<std::size_t>(threads_here());
  const bool units_meet = shape.layer_norm || shape.projection || shape.zoneout ||
                          shape.state_dropout || shape.bf16 || shape.custom;
  return threads > 1 && !units_meet && shape.batch <= kFewRows * threads &&
         shape.gates() * shape.hidden * (shape.input + shape.hidden) >= kLargeWeights;
}

/// Calls f(units) for tiles of a step's units, on all threads.
template <class F>
void for_tiles(std::size_t units, F f) {
  constexpr std::size_t kTile = 64;
  parallel((units + kTile - 1) / kTile, [&](std::size_t tile) {
    f(Columns{tile * kTile, std::min(units, (tile + 1) * kTile)});
  });
}

/// The rows of slices first .. last - 1.
inline Rows rows_of_slices(const RecurrentShape& shape, std::size_t slices, std::size_t first,
                           std::size_t last) {
  return {first * shape.batch / slices, last * shape.batch / slices};
}

/// The division of slices into tasks. Adjacent slices go through time together, so that a weight in
/// the cache serves more rows. If that does not matter, there are two tasks per thread, so that a
/// thread with its own core can help one that shares a core. In large batches a task's states
/// should stay in the first-level cache. Rows are independent, and each slice has its own
/// gradients, so the tasks change no bit.
class Tasks {
 public:
  Tasks(const RecurrentShape& shape, std::size_t slices) : Tasks(shape, slices, 0, shape.steps) {}
  /// Tasks for the steps s = begin .. end - 1 only.
  Tasks(const RecurrentShape& shape, std::size_t slices, std::size_t begin, std::size_t end)
      : shape_(shape),
        slices_(slices),
        first_t_(shape.reverse ? shape.steps - end : begin),
        last_t_(shape.reverse ? shape.steps - begin : end) {
    constexpr std::size_t kMostRows = 128;
    const auto threads = static_cast<std::size_t>(threads_here());
    const std::size_t wanted = threads == 1 || shape.large() ? threads : 2 * threads;
    count_ = std::min(slices, std::max(wanted, shape.batch / kMostRows));
    for (std::size_t slice = 0; slice < slices; ++slice) work_ += work_of(slice);
  }

  /// Calls f(first, last) on all threads. A task has the slices first .. last - 1.
  template <class F>
  void run(F f) const {
    parallel(count_, [&](std::size_t task) {
      const std::size_t begin = boundary(task), end = boundary(task + 1);
      if (begin < end) f(begin, end);
    });
  }

 private:
  /// The number of time steps of all rows in a slice.
  std::size_t work_of(std::size_t slice) const {
    const Rows rows = rows_of_slices(shape_, slices_, slice, slice + 1);
    if (!shape_.lengths) return rows.count() * (last_t_ - first_t_);
    std::size_t work = 0;
    for (std::size_t n = rows.begin; n < rows.end; ++n)
      work += std::clamp(shape_.lengths[n], first_t_, last_t_) - first_t_;
    return work;
  }
  /// The first slice of a task. All tasks have about the same work.
  std::size_t boundary(std::size_t task) const {
    if (!shape_.lengths) return task * slices_ / count_;
    std::size_t slice = 0, before = 0;
    while (slice < slices_ && (before + work_of(slice) / 2) * count_ < task * work_)
      before += work_of(slice++);
    return task == count_ ? slices_ : slice;
  }

  const RecurrentShape& shape_;
  std::size_t slices_, first_t_, last_t_, count_ = 1, work_ = 0;
};

}  // namespace unroll::kernels
