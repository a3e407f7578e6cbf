// The state of a run between two steps, in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "data/sampler.h"
#include "tensor/tensor_impl.h"
#include "train/learning_rate.h"
#include "train/recent_steps.h"
#include "train/step_result.h"
#include "unroll/core/random.h"
#include "unroll/tensor/tensor.h"

namespace unroll::train {

/// The state that a Checkpoint holds, copied. A run makes such copies every few steps. Copying into
/// the same object again allocates nothing.
struct Snapshot {
  StepResult last;
  RecentSteps recent;
  Tensor weights;  // all of them (nn::FlatParameters)
  std::vector<Tensor> optimizer;
  Generator generator{0};
  std::vector<std::uint64_t> masks;
  data::Sampler::Position position;
  std::optional<LearningRate::State> learning_rate;
};

/// Makes the copy at the first call. Later calls copy into the same memory.
inline void copy_to(Tensor& copy, const Tensor& from) {
  if (copy.defined())
    copy_into(copy, from);
  else
    copy = from.clone();
}

}  // namespace unroll::train
