#include "train/early_stopping.h"

#include "train/snapshot.h"

namespace unroll::train {

void EarlyStopping::add(const StepResult& step, double loss, const Tensor& weights) {
  ++state_.since;
  if (!(loss < state_.loss)) return;
  state_ = {step, loss, 0};
  copy_to(weights_, weights);
}

void EarlyStopping::load(const State& state, const Tensor& weights) {
  state_ = state;
  if (has_best()) copy_to(weights_, weights);
}

}  // namespace unroll::train
