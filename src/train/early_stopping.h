// The best weights of a run, and the moment to stop.
#pragma once

#include <cmath>
#include <cstdint>

#include "train/step_result.h"
#include "unroll/tensor/tensor.h"

namespace unroll::train {

/// Watches the loss on the validation part. Keeps the weights with the lowest one, and says when it
/// has not fallen for `patience` evaluations in a row.
class EarlyStopping {
 public:
  /// With a patience of 0 it never stops.
  explicit EarlyStopping(std::int64_t patience) : patience_(patience) {}

  /// Adds an evaluation after `step`: its loss, and the weights. The first of equal losses is the
  /// best. NaN is never the best.
  void add(const StepResult& step, double loss, const Tensor& weights);

  bool stops() const { return patience_ > 0 && state_.since >= patience_; }
  /// Counts the evaluations without a lower loss anew. The best one stays.
  void count_anew() { state_.since = 0; }
  /// False before the first evaluation, and if all losses were NaN.
  bool has_best() const { return state_.best.step > 0; }
  const StepResult& best() const { return state_.best; }
  const Tensor& weights() const { return weights_; }  ///< the best ones

  /// The state between two steps, without the weights.
  struct State {
    StepResult best{};       // number 0: none yet
    double loss = HUGE_VAL;  // of the best
    std::int64_t since = 0;  // evaluations after the best
  };
  const State& state() const { return state_; }
  void load(const State& state, const Tensor& weights);

 private:
  std::int64_t patience_;
  State state_;
  Tensor weights_;
};

}  // namespace unroll::train
