// Lowering the learning rate when a metric stops improving.
#pragma once

#include <cstdint>

#include "unroll/core/api.h"

namespace unroll::optim {

struct ReduceLrOnPlateauOptions {
  enum class Mode { min, max };           ///< whether less or more is better
  enum class ThresholdMode { rel, abs };  ///< whether `threshold` is a share of the best metric
  Mode mode = Mode::min;
  double factor = 0.1;         ///< what the learning rate is multiplied by, 0 <= factor < 1
  std::int64_t patience = 10;  ///< so many metrics in a row that are no better are tolerated
  double threshold = 1e-4;     ///< what less than this is no improvement
  ThresholdMode threshold_mode = ThresholdMode::rel;
  std::int64_t cooldown = 0;  ///< so many metrics after a reduction count for nothing
  double min_factor = 0;      ///< where lr_factor() ends, 0 <= min_factor < 1
};

/// Multiplies the learning rate by `factor` each time that a metric, usually the loss of an epoch,
/// was not better than the best so far more than `patience` times in a row:
///
///     optim::ReduceLrOnPlateau plateau({.patience = 3});
///     ...
///     optimizer.set_lr_factor(plateau.step(validation_loss));
///
/// Better is, with mode min, less than best (1 - threshold) (rel) or best - threshold (abs); with
/// max, more than best (1 + threshold) or best + threshold. NaN is never better.
/// Throws ValueError for options outside their range.
/// Source:
/// https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html
class UNROLL_API ReduceLrOnPlateau {
 public:
  using Options = ReduceLrOnPlateauOptions;

  /// All that step() changes, for a checkpoint.
  struct State {
    double best;  ///< the best metric; +-infinity before the first
    std::int64_t bad = 0, cooldown = 0;
    double lr_factor = 1;
  };

  explicit ReduceLrOnPlateau(const Options& options = {});

  /// Takes the next metric; returns lr_factor().
  double step(double metric);
  /// The product of all reductions so far, for Optimizer::set_lr_factor.
  double lr_factor() const { return state_.lr_factor; }

  const State& state() const { return state_; }
  void load_state(const State& state) { state_ = state; }

 private:
  bool is_better(double metric) const;

  Options options_;
  State state_;
};

}  // namespace unroll::optim
