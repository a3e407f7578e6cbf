// The usual range of a run's losses and gradients, and the steps that leave it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "train/step_result.h"

namespace unroll::train {

/// Losses and gradient norms of the last 100 steps, and the largest of the first 100. It depends on
/// the steps alone, never on the clock (docs/numerics.md, "A run that diverges").
class RecentSteps {
 public:
  static constexpr std::size_t size = 100;
  /// Before so many steps there is no range: losses may leap at the beginning.
  static constexpr std::int64_t fewest = 10;
  /// How many times the largest value of the first and the last 100 steps is still in range.
  static constexpr double factor = 1000;
  /// So many steps in a row out of range are a divergence, whatever limits the updates.
  static constexpr std::int64_t patience = 100;

  /// False for NaN and infinity, and, once there are `fewest` steps, above `factor` times the
  /// largest.
  bool holds_loss(double loss) const;
  bool holds_norm(double norm) const;

  /// Whether weights that give this loss on the next batch are good ones: it is among the lowest
  /// quarter of the last 100, and with the 9 before it no higher on average than those 100. The
  /// second condition is for small batches, where a single loss may be low by chance.
  bool is_good(double loss) const;

  /// A step whose loss is out of range is counted, and does not widen the range.
  void add(const StepResult& step);
  /// How many steps in a row, up to the last, had a loss out of range.
  std::int64_t outside() const { return state_.outside; }

  /// The number k of a step in range, from 0, has entry k modulo 100 of `last`.
  struct Values {
    std::array<double, size> last{};
    double largest_of_first = 0;
  };
  /// All that a checkpoint keeps of it.
  struct State {
    Values losses, norms;
    std::int64_t count = 0;  // steps in range so far
    std::int64_t outside = 0;
  };
  const State& state() const { return state_; }
  explicit RecentSteps(const State& state) : state_(state) {}
  RecentSteps() = default;

 private:
  State state_;
};

}  // namespace unroll::train
