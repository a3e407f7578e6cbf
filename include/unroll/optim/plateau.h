// Lowers the learning rate when a metric stops improving.
#pragma once

#include <cstdint>

#include "unroll/core/api.h"

namespace unroll::optim {

struct ReduceLrOnPlateauOptions {
  enum class Mode { min, max };           ///< whether a lower or a higher metric is better
  enum class ThresholdMode { rel, abs };  ///< whether `threshold` is relative to the best metric
  Mode mode = Mode::min;
  double factor = 0.1;  ///< factor on the learning rate, 0 <= factor < 1
  /// number of metrics in a row without improvement that are tolerated
  std::int64_t patience = 10;
  double threshold = 1e-4;  ///< a smaller change is no improvement
  ThresholdMode threshold_mode = ThresholdMode::rel;
  std::int64_t cooldown = 0;  ///< number of metrics after a reduction that do not count as bad
  double min_factor = 0;      ///< lower limit of lr_factor(), 0 <= min_factor < 1
};

/// Multiplies the learning rate by `factor` when a metric, usually the loss of an epoch, has not
/// improved for more than `patience` calls in a row:
///
///     optim::ReduceLrOnPlateau plateau({.patience = 3});
///     ...
///     optimizer.set_lr_factor(plateau.step(validation_loss));
///
/// With mode min, a metric improves if it is below best (1 - threshold) (rel) or best - threshold
/// (abs). With mode max, it improves if it is above best (1 + threshold) or best + threshold. NaN
/// never improves.
/// Throws ValueError for options outside their range.
/// Source:
/// https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html
class UNROLL_API ReduceLrOnPlateau {
 public:
  using Options = ReduceLrOnPlateauOptions;

  /// Everything that step() changes, for a checkpoint.
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
