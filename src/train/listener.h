// Those who hear of a run while it goes on: progress, files, the timing of checkpoints.
#pragma once

#include <cstdint>
#include <functional>

#include "train/evaluate.h"
#include "train/step_result.h"

namespace unroll::train {

/// One who hears of a run. The trainer calls each listener in the order of its list, between two
/// steps and on its own thread. What a listener throws ends Trainer::run().
class Listener {
 public:
  virtual ~Listener() = default;

  /// After every step.
  virtual void step(const StepResult& /*step*/) {}
  /// After a step that Config::save_at names; the trainer's weights are those after it.
  virtual void save(std::int64_t /*step*/) {}
  /// After every evaluation: the step before it, and the result on the test set.
  virtual void evaluation(const StepResult& /*step*/, const Evaluation& /*evaluation*/) {}
  /// Whether the run shall stop. All listeners are asked after every step but the last, when they
  /// have heard all else; a checkpoint may be taken here.
  virtual bool stop() { return false; }
};

/// A listener made of functions. Those that are not set are not called.
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
