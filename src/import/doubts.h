// Questions that shapes alone do not answer. A wrong readout, or an embedding taken for a linear
// layer, fits in shape but makes another network.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "import/weight_names.h"
#include "unroll/spec/model_spec.h"

namespace unroll::importer {

/// A question about a layer: the choices as an architecture file lists them, and a hint. Or a
/// `refusal`: the reason why the layer can't be imported. All are empty if there is no doubt.
struct Doubt {
  std::string choices, hint, refusal;
};

/// Asks for the readout of `r`. The next layer, the linear `reader`, reads `reads` numbers; 0 if
/// there is no such layer, or its width is unknown.
Doubt doubt_readout(const spec::RecurrentSpec& r, const std::string& reader, std::int64_t reads);

/// Asks whether the matrix of a layer without a bias is an nn.Embedding, which looks like an
/// nn.Linear(bias=False). `reads` is the width that the next layer reads. It is 0 if there is no
/// next layer, or if this layer is not the network's first.
Doubt doubt_linear(const std::string& layer, const spec::Sizes& shape, const std::string& next,
                   std::int64_t reads);

/// The tensors among `tensors` that may be the learnt `state` (h_0 or c_0) of `r`, under another
/// name.
std::vector<std::string> possible_states(const WeightNames& weights, const spec::RecurrentSpec& r,
                                         const std::string& state,
                                         const std::vector<std::string>& tensors);

/// The shape of a layer's learnt state without dimensions of size 1, because files save it with or
/// without them.
spec::Sizes shape_of_states(const spec::RecurrentSpec& r, std::string_view state);

/// Whether a tensor may be a learnt state, judged by its type, number of dimensions and name.
bool may_be_states(const std::string& name, const io::ArrayView& array);

}  // namespace unroll::importer
