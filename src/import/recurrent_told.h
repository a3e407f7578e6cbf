// Reads a recurrent layer's description off its weights, even if their shapes contradict each
// other.
#pragma once

#include <string>

#include "import/weight_names.h"
#include "unroll/spec/model_spec.h"

namespace unroll::importer {

/// Describes the layer `from` of a file by its weights. If their shapes contradict each other, the
/// weights that read the input count, and import_model lists the weights that differ. Throws
/// FormatError if the weights belong to another cell.
spec::RecurrentSpec recurrent_told(const WeightNames& weights, const std::string& from,
                                   spec::Cell cell);

}  // namespace unroll::importer
