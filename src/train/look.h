// Looks inside a model in training: weights, updates, activations, and gradients over time.
#pragma once

#include <cstdint>

#include "data/source.h"
#include "train/inside.h"
#include "train/objective.h"
#include "unroll/autograd/parameter.h"
#include "unroll/spec/model_spec.h"

namespace unroll::train {

/// The weights before and after some steps.
struct Updates {
  Parameters before = {}, after = {};  // both empty: unknown
  std::int64_t steps = 0;
};

/// Runs the first samples of a batch without dropout, at most 32, and differentiates their mean
/// loss L by the states. Of sequences with different lengths it takes those as long as the first.
/// Of longer sequences than `chunk_steps` (0: all) or 1000 it takes the last steps, from a zero
/// state. Changes neither weights nor gradients, and draws no random number of the run.
Inside look_inside(const spec::ModelSpec& spec, const Parameters& weights, const Updates& updates,
                   const data::Examples& batch, const Objective& objective,
                   std::int64_t chunk_steps = 0);

}  // namespace unroll::train
