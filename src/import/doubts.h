// What sizes alone do not settle: readouts and embeddings that fit in shape and are another
// network.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "import/weight_names.h"
#include "unroll/spec/model_spec.h"

namespace unroll::importer {

/// A question about a layer, with the choices as an architecture file lists them and what else is
/// to be thought of; or why the layer can't be imported. All empty: no doubt.
struct Doubt {
  std::string choices, hint, refusal;
};

/// What is read out of `r`, where the linear layer `reader` that comes next reads so many numbers;
/// 0: nothing is known of it.
Doubt doubt_readout(const spec::RecurrentSpec& r, const std::string& reader, std::int64_t reads);

/// Whether the matrix of a layer without a bias is an nn.Embedding, which looks like an
/// nn.Linear(bias=False). `reads`: what the next layer does, 0 where there is none, or where this
/// layer is not the network's first.
Doubt doubt_linear(const std::string& layer, const spec::Sizes& shape, const std::string& next,
                   std::int64_t reads);

/// Those of `tensors` that may be the learnt h_0 or c_0 of `r` under a name of their own.
std::vector<std::string> possible_states(const WeightNames& weights, const spec::RecurrentSpec& r,
                                         const std::string& state,
                                         const std::vector<std::string>& tensors);

/// The shape of a layer's learnt states, without dimensions of 1, which are saved or not.
spec::Sizes shape_of_states(const spec::RecurrentSpec& r, std::string_view state);

/// Whether a tensor of such a shape may be learnt states.
bool may_be_states(const std::string& name, const io::ArrayView& array);

}  // namespace unroll::importer
