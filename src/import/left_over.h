// Tensors that no layer of a model takes: what they are of, as far as names and shapes tell.
#pragma once

#include <string>
#include <vector>

#include "import/weight_names.h"

namespace unroll::importer {

/// What the tensor is of, where that is nothing that can be imported whatever the architecture:
/// attention, normalisation, a convolution over time. Empty of weights that a layer here may have,
/// and of unknown ones.
std::string kind_of(const WeightNames& weights, const std::string& name);

/// Every tensor of `names`, kind by kind: "ln.weight [8] and ln.bias [8] are layer normalisation,
/// which can't be imported; x is not part of the model". Those that a network may not need at all
/// can be left out, which is said.
std::string say_left_over(const WeightNames& weights, const std::vector<std::string>& names);

/// Whether a layer's name is what people call an embedding.
bool is_called_embedding(std::string_view layer);

}  // namespace unroll::importer
