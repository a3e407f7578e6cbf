// The usual range of a run's losses and gradients, and steps outside of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "train/step_result.h"

namespace unroll::train {

/// Losses and gradient norms of the last 100 steps, and the largest ones of the first 100. Depends
/// only on the steps, never on the clock (docs/numerics.md, "A run that diverges").
class RecentSteps {
 public:
  static constexpr std::size_t size = 100;
  /// There is no range before this number of steps, because losses may leap at the beginning.
  static constexpr std::int64_t fewest = 10;
  /// A value is in range up to this factor times the largest value of the first and the last 100
  /// steps.
  static constexpr double factor = 1000;
  /// This number of steps in a row out of range is a divergence, even if updates are limited.
  static constexpr std::int64_t patience = 100;

  /// Whether a value is in range. False for NaN and infinity, and after `fewest` steps for values
  /// above `factor` times the largest.
  bool holds_loss(double loss) const;
  bool holds_norm(double norm) const;

  /// Whether weights with this loss on the next batch are good. Two conditions must hold. The loss
  /// is in the lowest quarter of the last 100 losses. The mean of it and the 9 losses before is no
  /// higher than the mean of the last 100. The second condition is for small batches, where a
  /// single loss may be low by chance.
  bool is_good(double loss) const;

  /// A step with a loss out of range is only counted: it does not widen the range.
  void add(const StepResult& step);
  /// The number of steps in a row, up to the last one, with a loss out of range.
  std::int64_t outside() const { return state_.outside; }

  /// A ring buffer: step k of those in range, from 0, is at k modulo 100 in `last`.
  struct Values {
    std::array<double, size> last{};
    double largest_of_first = 0;
  };
  /// The state that a checkpoint keeps.
  struct State {
    Values losses, norms;
    std::int64_t count = 0;  // number of steps in range so far
    std::int64_t outside = 0;
  };
  const State& state() const { return state_; }
  explicit RecentSteps(const State& state) : state_(state) {}
  RecentSteps() = default;

 private:
  State state_;
};

}  // namespace unroll::train
