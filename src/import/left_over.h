// Tensors that no layer of a model takes, and the kind of layer they belong to, judged by names and
// shapes.
#pragma once

#include <string>
#include <vector>

#include "import/weight_names.h"

namespace unroll::importer {

/// The kind of layer that the tensor belongs to, if no architecture can import it: attention,
/// normalisation, a convolution of volumes. Empty if a layer here may have such a weight, and if
/// the kind is unknown.
std::string kind_of(const WeightNames& weights, const std::string& name);

/// Lists the tensors `names`, kind by kind: "ln.weight [8], ln.bias [8] are layer normalisation,
/// which can't be imported; x is not part of the model". Suggests --ignore if the network may not
/// need some of them.
std::string say_left_over(const WeightNames& weights, const std::vector<std::string>& names);

/// Whether the layer's name is a usual name of an embedding.
bool is_called_embedding(std::string_view layer);

}  // namespace unroll::importer
