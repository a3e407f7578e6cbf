// The training loop.
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string>

#include "data/sampler.h"
#include "data/source.h"
#include "train/checkpoint.h"
#include "train/config.h"
#include "train/evaluate.h"
#include "train/learning_rate.h"
#include "train/listener.h"
#include "train/network.h"
#include "train/objective.h"
#include "train/recent_steps.h"
#include "train/snapshot.h"
#include "train/step_result.h"
#include "unroll/core/error.h"
#include "unroll/optim/optimizer.h"

namespace unroll::train {

/// Loss, gradient or weights stopped being finite, or left the range of the recent steps by orders
/// of magnitude (docs/numerics.md). The trainer has gone back to the last good step.
class Diverged : public Error {
 public:
  Diverged(const StepResult& failed_step, const std::string& text)
      : Error("train", text), failed(failed_step) {}
  StepResult failed;      // the step that could not be made
  StepResult kept;        // the last good one; its step is 0 where that is the beginning
  Evaluation evaluation;  // of the weights after it
};

/// Where the time went, in seconds.
struct Times {
  double training = 0, testing = 0;
};

/// A model in training.
class Trainer {
 public:
  /// The model that the settings describe. Throws what describe() throws, and ValueError for
  /// chunks (Config::tbptt) of sequences with different lengths.
  Trainer(const Config& config, std::shared_ptr<const data::Source> source);
  /// A model of one's own; what the settings say of layers has no meaning then. Throws ShapeError
  /// where it does not fit the source, ValueError where it does not fit into memory.
  Trainer(const Config& config, std::shared_ptr<const data::Source> source, spec::ModelSpec spec);

  /// Makes the steps that are left, evaluating on the way and after the last. Returns false when
  /// a listener stopped it. Throws Diverged; weights, checkpoint() and last_evaluation() are then
  /// those of the last good step. And throws what a listener throws.
  bool run(std::span<Listener* const> listeners);
  bool run(std::initializer_list<Listener*> listeners) {
    return run(std::span<Listener* const>(listeners.begin(), listeners.size()));
  }

  /// Where it is between two steps; the tensors are good until the trainer goes on. Which run it is
  /// stands in it, but for what belongs to a folder: config.json and the metrics.
  Checkpoint checkpoint();
  /// Goes on from there, before run(): what follows has the bits of a run that was never
  /// interrupted. Throws FormatError for a checkpoint of another model.
  void resume(const Checkpoint& checkpoint);

  const spec::ModelSpec& description() const { return spec_; }
  Parameters parameters() { return model_.parameters(); }
  std::int64_t steps() const { return steps_; }
  const StepResult& last_step() const { return last_; }  ///< its step is 0 before the first
  const Evaluation& last_evaluation() const { return evaluation_; }
  const Times& times() const { return times_; }

 private:
  std::int64_t steps_per_epoch() const;  // 0 where data never ends
  StepResult make_step(std::int64_t step);
  StepResult make_truncated_step(std::int64_t step);
  Tensor minimised(const Tensor& inputs, const Tensor& targets);
  StepResult update(std::int64_t step, const Tensor& loss);
  StepResult result_of(std::int64_t step, double loss, double grad_norm) const;
  bool make_steps(std::span<Listener* const> listeners);
  void evaluate(const StepResult& result, std::span<Listener* const> listeners);
  void evaluate(Generator& generator);
  [[noreturn]] void diverge(const StepResult& failed, const std::string& what) const;

  void save(Snapshot& to);
  void load(const Snapshot& from);
  Checkpoint checkpoint_of(const Snapshot& from) const;
  void load(const Checkpoint& from);

  Config config_;
  std::shared_ptr<const data::Source> source_;
  spec::ModelSpec spec_;
  Objective objective_;
  data::Sampler sampler_;
  data::Examples examples_;  // of one step
  Generator generator_;
  Network model_;
  Parameters parameters_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::int64_t steps_;
  LearningRate learning_rate_;
  Parameters optimizer_state_;
  Network::States states_;  // at the end of what was read of the sequences
  StepResult last_{};       // its step is 0 at first
  RecentSteps recent_;
  Snapshot good_, candidate_;  // the last good step; one that may become it
  Evaluation evaluation_;
  Times times_;
};

}  // namespace unroll::train
