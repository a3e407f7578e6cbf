// The states of a model's recurrent layers.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "unroll/autograd/parameter.h"
#include "unroll/spec/model_spec.h"
#include "unroll/tensor/tensor.h"

namespace unroll::train {

/// The states h of every recurrent layer for inputs as a batch has them, (N, T, D H) by the layer's
/// name: "rnn", or "rnn l1" of a stack. States after a sequence's end mean nothing.
std::map<std::string, Tensor> states_of(const spec::ModelSpec& spec, const Parameters& weights,
                                        const Tensor& inputs,
                                        std::span<const std::int64_t> lengths = {});

}  // namespace unroll::train
