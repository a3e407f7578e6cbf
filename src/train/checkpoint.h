// A run between two of its steps, as a file keeps it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "train/learning_rate.h"
#include "train/recent_steps.h"
#include "train/step_result.h"
#include "unroll/autograd/parameter.h"

namespace unroll::train {

/// Everything that the steps to come depend on. A sequence that is read in chunks ends within a
/// step, so it has no state here.
struct Checkpoint {
  StepResult last;                   // of the step that was made last
  RecentSteps recent;                // up to it
  Parameters weights;                // of the model
  Parameters optimizer;              // its state()
  std::string generator;             // Generator::state() of the run's
  std::vector<std::uint64_t> masks;  // how many each MaskSource of the model has given
  std::string position;              // of the last batch, as the sampler's JSON; may be empty
  std::optional<LearningRate::State> learning_rate;  // of the schedule plateau

  /// The last good step, whose weights a run keeps if it diverges: the same state, without what
  /// follows here. Null where it is this step itself.
  std::shared_ptr<const Checkpoint> good;

  // What the run was, so that nothing else goes on from here.
  std::string model;   // its description, as JSON
  std::string config;  // config.json

  // metrics.jsonl up to here.
  std::uint64_t metrics_bytes = 0;
  std::string metrics_sha256;
};

/// A safetensors file: all tensors, and the rest as JSON in the metadata.
std::vector<std::byte> to_bytes(const Checkpoint& checkpoint);

/// The other way; `name` stands for the file in errors. Throws FormatError for anything else.
Checkpoint checkpoint_from(std::vector<std::byte> bytes, const std::string& name);

/// The key of the metadata, which no other file has.
inline constexpr const char* checkpoint_key = "unroll_checkpoint";
/// The key of the description in a checkpoint's metadata.
inline constexpr const char* model_key = "model";

}  // namespace unroll::train
