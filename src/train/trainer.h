// The training loop.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/sampler.h"
#include "data/source.h"
#include "nn/batch_gradient.h"
#include "nn/flat_parameters.h"
#include "train/batch.h"
#include "train/checkpoint.h"
#include "train/config.h"
#include "train/early_stopping.h"
#include "train/evaluate.h"
#include "train/initial_weights.h"
#include "train/learning_rate.h"
#include "train/listener.h"
#include "train/look.h"
#include "train/network.h"
#include "train/objective.h"
#include "train/recent_steps.h"
#include "train/snapshot.h"
#include "train/step_result.h"
#include "unroll/core/error.h"
#include "unroll/optim/optimizer.h"

namespace unroll::train {

/// The loss, gradient or weights are no longer finite, or are orders of magnitude out of the range
/// of recent steps (docs/numerics.md). The trainer has gone back to the last good step.
class Diverged : public Error {
 public:
  Diverged(const StepResult& failed_step, const std::string& text)
      : Error("train", text), failed(failed_step) {}
  StepResult failed;      // the step that failed
  StepResult kept;        // the last good step; its number is 0 if there was none
  Evaluation evaluation;  // of the weights after the last good step
};

/// Time spent, in seconds.
struct Times {
  double training = 0, testing = 0;
};

/// A model in training.
class Trainer {
 public:
  /// Trains the model that the settings describe. Throws the errors of describe(), and ValueError
  /// if sequences of different lengths should be cut into chunks (Config::tbptt), or if there is no
  /// validation part for Config::patience or refit.
  /// Begins with the weights of `initial`, if it is not null; see train/initial_weights.h.
  Trainer(const Config& config, std::shared_ptr<const data::Source> source,
          const InitialWeights* initial = nullptr);
  /// Trains the given model and ignores the settings of layers. Throws ShapeError if the model does
  /// not fit the source, ValueError if it needs too much memory.
  Trainer(const Config& config, std::shared_ptr<const data::Source> source, spec::ModelSpec spec,
          const InitialWeights* initial = nullptr);
  Trainer(const Trainer&) = delete;  // its parts refer to each other
  Trainer& operator=(const Trainer&) = delete;

  /// Makes the remaining steps. Evaluates on the way: on the validation part, if there is one; else
  /// on the test part, if the source shows it while training; else on the training part. At the end
  /// it keeps the weights with the lowest validation loss and tests them, see finish(). Returns
  /// false if a listener stopped it. Throws Diverged; then weights, checkpoint() and
  /// last_evaluation() are those of the last good step. Passes on exceptions of listeners.
  bool run(std::span<Listener* const> listeners);
  bool run(std::initializer_list<Listener*> listeners) {
    return run(std::span<Listener* const>(listeners.begin(), listeners.size()));
  }

  /// The state between two steps. Its tensors are valid until the trainer continues. The caller
  /// adds what belongs to a folder: config.json and the metrics.
  Checkpoint checkpoint();
  /// Continues from a checkpoint. Call this before run(). The following steps have the same bits as
  /// those of a run without interruption. Throws FormatError for a checkpoint of another model.
  void resume(const Checkpoint& checkpoint);

  const data::Source& source() const { return *source_; }
  const spec::ModelSpec& description() const { return spec_; }
  const Objective& objective() const { return objective_; }
  Parameters parameters() { return model_.parameters(); }
  /// The weights that the initial model did not give; empty without one.
  const std::vector<std::string>& not_initial() const { return not_initial_; }
  /// The last step, unless early stopping comes before it or a second training after it.
  std::int64_t steps() const;
  const StepResult& last_step() const { return last_; }  ///< number 0 before the first step
  /// The step that made the weights. After run(), that is the best step if there is a validation
  /// part.
  const StepResult& kept_step() const { return kept_; }
  const Evaluation& last_evaluation() const { return evaluation_; }
  const Times& times() const { return times_; }
  /// Counts time that a listener or a host spent on testing the model.
  void add_testing(double seconds) { times_.testing += seconds; }

 private:
  std::int64_t steps_per_epoch() const;  // 0 if the data is endless
  StepResult make_step(std::int64_t step);
  StepResult make_truncated_step(std::int64_t step);
  Tensor outputs_of(std::size_t part, const Tensor& inputs, std::vector<Tensor>& penalties);
  StepResult update(std::int64_t step, const Tensor& inputs, const Tensor& targets);
  StepResult result_of(std::int64_t step, double loss, double grad_norm) const;
  bool make_steps(std::span<Listener* const> listeners);
  data::Split watched_part() const;
  void evaluate(const StepResult& result, std::span<Listener* const> listeners);
  void evaluate(const data::Source& source, data::Split part, Generator& generator);
  void finish(std::span<Listener* const> listeners);

  /// Steps with one schedule of the learning rate.
  struct Stretch {
    std::int64_t first = 0, last = 0;  // the steps before it; its last step
    std::int64_t schedule = 0;         // the length of the schedule
  };
  std::int64_t chosen_steps() const;  // by the settings
  Stretch stretch_of(std::int64_t step) const;
  void begin(const Stretch& stretch);
  bool begin_refit(std::span<Listener* const> listeners);
  void begin_refit(const Refit& refit);

  Inside look(const Parameters& weights, const Updates& updates) const;
  [[noreturn]] void diverge(const StepResult& failed, const std::string& what) const;

  void save(Snapshot& to);
  void load(const Snapshot& from);
  Checkpoint checkpoint_of(const Snapshot& from) const;
  void load(const Checkpoint& from);

  Config config_;
  std::shared_ptr<const data::Source> source_;
  std::shared_ptr<const data::Source> all_;  // of a refit: source_->with_validation()
  spec::ModelSpec spec_;
  Objective objective_;
  data::Sampler sampler_;
  Batch batch_;
  Generator generator_;
  Network model_;
  nn::FlatParameters parameters_;
  Parameters trained_;  // without those of Config::freeze
  nn::BatchGradient gradient_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::optional<Refit> refit_;  // since the second training began
  Stretch stretch_;             // of the last step, or of step 1
  LearningRate learning_rate_;
  Parameters optimizer_state_;
  std::vector<Network::States> states_;  // of each part, after the last chunk that was read
  std::vector<std::string> not_initial_;
  StepResult last_{}, kept_{};  // number 0 before the first step
  RecentSteps recent_;
  Tensor before_;                          // all weights before the step of the next evaluation
  Snapshot good_, candidate_;              // after the last good step; one that may become the next
  std::optional<EarlyStopping> stopping_;  // if there is a validation part
  Snapshot initial_;                       // of a refit
  Evaluation evaluation_;
  Times times_;
};

}  // namespace unroll::train
