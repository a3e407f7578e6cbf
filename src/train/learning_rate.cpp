#include "train/learning_rate.h"

#include "core/float_environment.h"
#include "core/numerics.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

optim::Schedule make_schedule(const Config& c, std::int64_t steps) {
  switch (c.schedule) {
    case ScheduleKind::linear:
      return optim::warmup_linear_schedule(steps);
    case ScheduleKind::cosine:
      return optim::cosine_schedule(steps);
    case ScheduleKind::step:
      return optim::step_schedule(c.gamma_every > 0 ? c.gamma_every : (steps + 2) / 3,
                                  c.gamma > 0 ? c.gamma : 0.1);
    case ScheduleKind::exponential:
      return optim::exponential_schedule(
          c.gamma > 0 ? c.gamma : numerics::pow(0.01, 1 / static_cast<double>(steps)));
    case ScheduleKind::one_cycle:
      return optim::one_cycle_schedule(steps);
    case ScheduleKind::constant:
    case ScheduleKind::plateau:
      break;
  }
  return optim::constant_schedule();
}

}  // namespace

LearningRate::LearningRate(const Config& config, std::int64_t steps)
    : schedule_(make_schedule(config, steps)) {
  if (config.schedule != ScheduleKind::plateau) return;
  const std::int64_t evaluations = config.gamma_every > 0 ? config.gamma_every : 2;
  plateau_.emplace(optim::ReduceLrOnPlateauOptions{.factor = config.gamma > 0 ? config.gamma : 0.1,
                                                   .patience = evaluations - 1});
}

double LearningRate::factor(std::int64_t step) const {
  if (!plateau_) return schedule_(step - 1);
  return step <= state_.last ? state_.last_factor : plateau_->lr_factor();
}

void LearningRate::add(double loss, std::int64_t step) {
  if (!plateau_) return;
  const FloatEnvironment environment;
  state_.loss += loss;
  ++state_.steps;
  state_.last = step;
  state_.last_factor = plateau_->lr_factor();
}

void LearningRate::evaluated() {
  if (!plateau_) return;
  const FloatEnvironment environment;
  plateau_->step(state_.loss / static_cast<double>(state_.steps));
  state_.loss = 0;
  state_.steps = 0;
}

std::optional<LearningRate::State> LearningRate::state() const {
  if (!plateau_) return std::nullopt;
  State state = state_;
  state.plateau = plateau_->state();
  return state;
}

void LearningRate::load(const std::optional<State>& state) {
  if (state.has_value() != plateau_.has_value())
    throw FormatError("resume", "the checkpoint belongs to a run with another schedule");
  if (!state) return;
  plateau_->load_state(state->plateau);
  state_ = *state;
}

}  // namespace unroll::train
