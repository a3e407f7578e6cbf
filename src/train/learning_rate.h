// The learning rate during a run.
#pragma once

#include <cstdint>
#include <optional>

#include "train/config.h"
#include "train/step_result.h"
#include "unroll/optim/plateau.h"
#include "unroll/optim/schedule.h"

namespace unroll::train {

/// The factor on the learning rate. It is a function of the step, except for the schedule plateau:
/// after each evaluation that looks at the mean training loss of the steps since the last one. It
/// never looks at the test set, which would then be part of training.
class LearningRate {
 public:
  /// Of a run of so many steps. Throws ValueError for a gamma that the schedule can't have.
  LearningRate(const Config& config, std::int64_t steps);

  /// The factor in this step, from 1.
  double factor(std::int64_t step) const;
  void add(const StepResult& made);
  void evaluated();  ///< the run was evaluated after the step that was added last

  /// What plateau knows between two steps.
  struct State {
    optim::ReduceLrOnPlateau::State plateau{};
    double loss = 0;         ///< the sum over the steps since the last evaluation
    std::int64_t steps = 0;  ///< how many these are
    std::int64_t last = 0;   ///< the step that was added last
    double last_factor = 1;  ///< in that step
  };
  /// Nothing for other schedules.
  std::optional<State> state() const;
  /// Throws FormatError for the state of another kind of schedule.
  void load(const std::optional<State>& state);

 private:
  optim::Schedule schedule_;
  std::optional<optim::ReduceLrOnPlateau> plateau_;
  State state_{};  // of plateau; plateau_ has the part that is its own
};

}  // namespace unroll::train
