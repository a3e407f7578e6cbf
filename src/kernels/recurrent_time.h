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

/// A thread's task has at least this many rows, unless each row is little work.
inline constexpr std::size_t kFewestRows = 4;

/// Whether the threads share the units of each step, in tiles, instead of the rows. The threads
/// then meet at every step. This pays for large weights, which fit in no core's cache: they are
/// read once per step for all rows, not once per task. It also pays for fewer rows than the threads
/// can share, if a step is much work. No sum is split, so no bit changes.
inline bool steps_are_shared(const RecurrentShape& shape) {
  constexpr std::size_t kLargeWeights = std::size_t{1} << 22;  // elements, 16 MiB of f32
  constexpr std::size_t kMostRows = 128;                       // per thread
  constexpr std::size_t kMuchWork = std::size_t{1} << 18;      // multiplications of a step
  const auto threads = static_cast<std::size_t>(threads_here());
  const std::size_t weights = shape.gates() * shape.hidden * (shape.input + shape.output());
  const bool units_meet = shape.layer_norm || shape.projection || shape.zoneout ||
                          shape.state_dropout || shape.bf16 || shape.custom;
  if (threads == 1 || units_meet) return false;
  return (weights >= kLargeWeights && shape.batch <= kMostRows * threads) ||
         (shape.batch < kFewestRows * threads && shape.batch * weights >= kMuchWork);
}

/// Whether each thread sums the gradients of whole shards, while they are in its cache.
inline bool shards_are_dealt_out(const RecurrentShape& shape) {
  return !shape.large() && shape.shards().count() >= static_cast<std::size_t>(threads_here());
}

/// Calls f(units) for tiles of a step's units, on all threads.
template <class F>
void for_tiles(std::size_t units, F f) {
  constexpr std::size_t kTile = 64;
  parallel((units + kTile - 1) / kTile, [&](std::size_t tile) {
    f(Columns{tile * kTile, std::min(units, (tile + 1) * kTile)});
  });
}

/// The division of rows into tasks. Adjacent rows go through time together, so that a weight in the
/// cache serves more rows. If that does not matter, there are two tasks per thread, so that a
/// thread with its own core can help one that shares a core. In large batches a task's states
/// should stay in the first-level cache. Rows are independent, so the tasks change no bit.
class Tasks {
 public:
  /// Whether a task may begin with any row, or only with a shard, because it sums over the rows of
  /// each.
  enum class Of { rows, shards };
  /// Tasks for the steps s = begin .. end - 1.
  Tasks(const RecurrentShape& shape, Of of, std::size_t begin, std::size_t end)
      : shape_(shape),
        shards_(shape.shards()),
        of_(of),
        units_(of == Of::rows ? shape.batch : shards_.count()),
        first_t_(shape.reverse ? shape.steps - end : begin),
        last_t_(shape.reverse ? shape.steps - begin : end) {
    constexpr std::size_t kMostRows = 128;
    const auto threads = static_cast<std::size_t>(threads_here());
    const std::size_t wanted = threads == 1 || shape.large() ? threads : 2 * threads,
                      most = of == Of::rows ? shape.batch / fewest_rows() : units_;
    count_ = std::clamp<std::size_t>(std::max(wanted, shape.batch / kMostRows), 1,
                                     std::max<std::size_t>(most, 1));
    for (std::size_t unit = 0; unit < units_; ++unit) work_ += work_of(unit);
  }

  /// Calls f(rows) on all threads.
  template <class F>
  void run(F f) const {
    parallel(count_, [&](std::size_t task) {
      const Rows rows{begin_of(boundary(task)), begin_of(boundary(task + 1))};
      if (rows.count() > 0) f(rows);
    });
  }

 private:
  /// A task is worth its costs with this many rows.
  std::size_t fewest_rows() const {
    constexpr std::size_t kWorthSharing = std::size_t{1} << 16;  // multiplications for one row
    const std::size_t work =
        shape_.steps * shape_.gates() * shape_.hidden * (shape_.input + shape_.output());
    return work < kWorthSharing ? 2 * kFewestRows : kFewestRows;
  }
  std::size_t begin_of(std::size_t unit) const {
    return of_ == Of::rows ? unit : shards_.begin(unit);
  }
  /// The number of time steps of all rows in a unit.
  std::size_t work_of(std::size_t unit) const {
    const Rows rows{begin_of(unit), begin_of(unit + 1)};
    if (!shape_.lengths) return rows.count() * (last_t_ - first_t_);
    std::size_t work = 0;
    for (std::size_t n = rows.begin; n < rows.end; ++n)
      work += std::clamp(shape_.lengths[n], first_t_, last_t_) - first_t_;
    return work;
  }
  /// The first unit of a task. All tasks have about the same work.
  std::size_t boundary(std::size_t task) const {
    if (!shape_.lengths) return task * units_ / count_;
    std::size_t unit = 0, before = 0;
    while (unit < units_ && (before + work_of(unit) / 2) * count_ < task * work_)
      before += work_of(unit++);
    return task == count_ ? units_ : unit;
  }

  const RecurrentShape& shape_;
  const Shards shards_;
  const Of of_;
  std::size_t units_, first_t_, last_t_, count_ = 1, work_ = 0;
};

}  // namespace unroll::kernels
