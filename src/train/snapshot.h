// A run between two of its steps, in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "data/sampler.h"
#include "train/learning_rate.h"
#include "train/recent_steps.h"
#include "train/step_result.h"
#include "unroll/core/random.h"
#include "unroll/tensor/tensor.h"

namespace unroll::train {

/// What a Checkpoint holds, as copies that a training run makes every few steps: made again into
/// the same object, a copy asks for no memory.
struct Snapshot {
  StepResult last;
  RecentSteps recent;
  std::vector<Tensor> values;  // the weights, then the optimizer's state
  Generator generator{0};
  std::vector<std::uint64_t> masks;
  data::Sampler::Position position;
  std::optional<LearningRate::State> learning_rate;
};

}  // namespace unroll::train
