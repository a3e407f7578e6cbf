// Looks inside a model in training: weights, updates, activations, and gradients over time.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "data/source.h"
#include "train/inside.h"
#include "train/objective.h"
#include "unroll/autograd/parameter.h"
#include "unroll/spec/model_spec.h"
#include "unroll/tensor/tensor.h"

namespace unroll::train {

/// The weights before and after some steps.
struct Updates {
  Parameters before = {}, after = {};  // both empty: unknown
  std::int64_t steps = 0;
};

/// Runs the first samples of a batch without dropout, at most 32, and differentiates their mean
/// loss L by the states. Of sequences with different lengths it takes those as long as the first.
/// Changes neither weights nor gradients, and draws no random number of the run.
Inside look_inside(const spec::ModelSpec& spec, const Parameters& weights, const Updates& updates,
                   const data::Examples& batch, const Objective& objective);

/// The states h of every recurrent layer for inputs as a batch has them, by the layer's name:
/// (N, T, H), or (N, T, 2 H) of the last layer of a bidirectional one.
std::map<std::string, Tensor> states_of(const spec::ModelSpec& spec, const Parameters& weights,
                                        const Tensor& inputs);

}  // namespace unroll::train
