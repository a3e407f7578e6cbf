// Listeners of a run: they print progress, write files, and time checkpoints.
#pragma once

#include <cstdint>
#include <functional>

#include "train/evaluate.h"
#include "train/step_result.h"

namespace unroll::train {

/// A listener of a run. The trainer calls the listeners in the order of its list, between two steps
/// and on its own thread. An exception of a listener ends Trainer::run().
class Listener {
 public:
  virtual ~Listener() = default;

  /// Called after every step.
  virtual void step(const StepResult& /*step*/) {}
  /// Called after each step in Config::save_at. The trainer has the weights after this step.
  virtual void save(std::int64_t /*step*/) {}
  /// Called after every evaluation; Evaluation::part says on which part. `step` is the step that
  /// made the tested weights: the last one, or the best one of a run with a validation part.
  virtual void evaluation(const StepResult& /*step*/, const Evaluation& /*evaluation*/) {}
  /// Called when the validation part has chosen the number of steps and training begins again with
  /// all samples (Config::refit): the best step, and the last step that will be made.
  virtual void refit(const StepResult& /*best*/, std::int64_t /*last_step*/) {}
  /// Whether the run shall stop. Called for all listeners after every step except the last, and
  /// after all other calls for the step. A listener may take a checkpoint here.
  virtual bool stop() { return false; }
};

/// A listener made of functions. Functions that are not set are not called.
class Callbacks : public Listener {
 public:
  std::function<void(const StepResult&)> on_step;
  std::function<void(std::int64_t)> on_save;
  std::function<void(const StepResult&, const Evaluation&)> on_evaluation;
  std::function<bool()> stops;

  void step(const StepResult& result) override {
    if (on_step) on_step(result);
  }
  void save(std::int64_t step) override {
    if (on_save) on_save(step);
  }
  void evaluation(const StepResult& result, const Evaluation& evaluation) override {
    if (on_evaluation) on_evaluation(result, evaluation);
  }
  bool stop() override { return stops && stops(); }
};

}  // namespace unroll::train
