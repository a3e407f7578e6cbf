// The learning rate during a run.
#pragma once

#include <cstdint>
#include <optional>

#include "train/config.h"
#include "unroll/optim/plateau.h"
#include "unroll/optim/schedule.h"

namespace unroll::train {

/// The factor on the learning rate. It is a function of the step, except for the schedule plateau.
/// After each evaluation, plateau looks at the mean training loss of the steps since the evaluation
/// before. It never looks at the test set, which would then be part of training.
class LearningRate {
 public:
  /// For a run of `steps` steps. Throws ValueError for a gamma that the schedule does not allow.
  LearningRate(const Config& config, std::int64_t steps);

  /// The factor in a step; the first step is 1.
  double factor(std::int64_t step) const;
  void add(double loss, std::int64_t step);  ///< of a step that was made
  void evaluated();  ///< call this after an evaluation, which belongs to the last added step

  /// The state of plateau between two steps.
  struct State {
    optim::ReduceLrOnPlateau::State plateau{};
    double loss = 0;         ///< sum of the losses since the last evaluation
    std::int64_t steps = 0;  ///< number of steps since the last evaluation
    std::int64_t last = 0;   ///< the last added step
    double last_factor = 1;  ///< the factor in that step
  };
  /// nullopt for other schedules.
  std::optional<State> state() const;
  /// Throws FormatError for the state of another kind of schedule.
  void load(const std::optional<State>& state);

 private:
  optim::Schedule schedule_;
  std::optional<optim::ReduceLrOnPlateau> plateau_;
  State state_{};  // for plateau; state_.plateau is unused, plateau_ has it
};

}  // namespace unroll::train
