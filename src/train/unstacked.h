// A model whose stacked recurrent layers are layers of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "train/network.h"
#include "unroll/autograd/parameter.h"
#include "unroll/spec/model_spec.h"

namespace unroll::train {

/// The name of layer l of a recurrent layer that stacks L: "rnn", or "rnn l1" if L is above 1.
std::string layer_name(const std::string& recurrent, std::int64_t l, std::int64_t layers);

struct Unstacked {
  spec::ModelSpec spec;
  Parameters weights;  // views of the given ones, under the names of `spec`
};

/// The same model, with a recurrent layer of one layer for each stacked one. All but the last give
/// their states at every step. Its outputs are those of the given model. The weights are those
/// that spec::weights_of() lists, in its order. A model that would have too many layers stays as it
/// is.
Unstacked unstacked(const spec::ModelSpec& spec, const Parameters& weights);

/// A network in evaluation mode with copies of the weights, for an observer.
std::unique_ptr<Network> network_of(const Unstacked& model);

}  // namespace unroll::train
