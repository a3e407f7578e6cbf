// What a model is trained on and tested with.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "train/config.h"
#include "train/evaluate.h"
#include "unroll/core/random.h"
#include "unroll/data/dataset.h"
#include "unroll/data/loader.h"
#include "unroll/infer/model.h"
#include "unroll/spec/model_spec.h"
#include "unroll/tensor/tensor.h"

namespace unroll::train {

/// A batch as the model takes it and as loss_of() takes it.
struct Examples {
  Tensor inputs, targets;
};

class Problem {
 public:
  virtual ~Problem() = default;

  virtual const spec::ModelSpec& description() const = 0;
  virtual std::int64_t steps() const = 0;                     // that the settings ask for
  virtual std::int64_t steps_per_epoch() const { return 0; }  // 0 where data never ends

  /// The batch of this step, from 1; asked for one after the other. Draws from the generator of the
  /// run what the order needs.
  virtual Examples batch(std::int64_t step, Generator& generator) = 0;

  /// Where the batch given out last lies, for a checkpoint, into `to`; asks for no memory. False
  /// before the first, and where batches are functions of the step.
  virtual bool position(data::Loader::Position& /*to*/) const { return false; }
  /// Goes on behind that batch; nothing: before the first. Throws what data::Loader::resume()
  /// throws.
  virtual void resume(const std::optional<data::Loader::Position>&, Generator&) {}

  virtual Evaluation evaluate(const infer::Model<float>& model, Generator& generator) const = 0;
  virtual Evaluation evaluate(const infer::Model<double>& model, Generator& generator) const = 0;
};

/// Images, in batches of a data::Loader. The sets must outlive it. Throws what describe() throws.
std::unique_ptr<Problem> image_problem(const Config& config, const data::Dataset& train,
                                       const data::Dataset& test);

/// The task that the settings name; step s trains on sequences (s - 1) N to s N - 1 of their seed.
/// Throws what describe_task() throws.
std::unique_ptr<Problem> task_problem(const Config& config);

}  // namespace unroll::train
