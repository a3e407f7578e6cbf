// What a recurrent layer's weights tell, also where they contradict each other.
#pragma once

#include <string>

#include "import/weight_names.h"
#include "unroll/spec/model_spec.h"

namespace unroll::importer {

/// The layer `from` of a file as its weights tell. Where they contradict each other, those that
/// read the input count: what differs from them is listed later, with all else. Throws FormatError
/// where they are those of another cell.
spec::RecurrentSpec recurrent_told(const WeightNames& weights, const std::string& from,
                                   spec::Cell cell);

}  // namespace unroll::importer
