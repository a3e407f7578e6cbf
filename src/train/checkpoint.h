// The state of a run between two steps, and its file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "train/early_stopping.h"
#include "train/learning_rate.h"
#include "train/recent_steps.h"
#include "train/step_result.h"
#include "unroll/autograd/parameter.h"

namespace unroll::train {

/// The second training of a run with Config::refit. Its steps have numbers after those of the first
/// one.
struct Refit {
  std::int64_t first = 0;  // steps of the first training
  std::int64_t steps = 0;  // its own
};

/// Everything that later steps depend on. Sequences that are read in chunks end within a step, so
/// their states are not part of it.
struct Checkpoint {
  StepResult last;                   // the last step
  RecentSteps recent;                // the steps up to the last one
  Parameters weights;                // the model's weights
  Parameters optimizer;              // the optimizer's state()
  std::string generator;             // Generator::state() of the run's generator
  std::vector<std::uint64_t> masks;  // the number of masks drawn from each MaskSource
  std::string position;              // the sampler's place as JSON; may be empty
  std::optional<LearningRate::State> learning_rate;  // set for the schedule plateau

  /// Set if the source has a validation part: the loss and the step of the best weights.
  std::optional<EarlyStopping::State> stopping;
  Parameters best;  // the best weights; empty if there are none yet
  /// Set if training has begun again with all samples (Config::refit).
  std::optional<Refit> refit;

  /// The state after the last good step, whose weights a run keeps if it diverges. Only the members
  /// above are set in it, except `stopping`, `best` and `refit`. Null if this step itself is the
  /// last good one.
  std::shared_ptr<const Checkpoint> good;

  // Identify the run, so that no other run resumes from here.
  std::string model;   // the model's description, as JSON
  std::string config;  // the text of config.json

  // The size and hash of metrics.jsonl at this step.
  std::uint64_t metrics_bytes = 0;
  std::string metrics_sha256;
};

/// A safetensors file with all tensors. Everything else is JSON in the metadata.
std::vector<std::byte> to_bytes(const Checkpoint& checkpoint);

/// Reads what to_bytes() wrote. `name` stands for the file in errors. Throws FormatError for any
/// other content.
Checkpoint checkpoint_from(std::vector<std::byte> bytes, const std::string& name);

/// The key of the state in the metadata. Only checkpoints have it.
inline constexpr const char* checkpoint_key = "unroll_checkpoint";
/// The key of the model's description in the metadata.
inline constexpr const char* model_key = "model";

}  // namespace unroll::train
