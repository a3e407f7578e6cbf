// The JSON form of what goes into a model.
#pragma once

#include <cstdint>

#include "spec/json_reader.h"
#include "unroll/spec/model_spec.h"

namespace unroll::spec {

/// The oldest version of the format that can say what goes into the model.
int version_of_input(const ModelSpec& spec);

Json json_of(const InputSpec& input, int version);

/// The other way. What versions 2 and 3 say also depends on what else the model is: `spec` with its
/// output and data set.
InputSpec input_from(const Json& json, std::int64_t version, const ModelSpec& spec);

}  // namespace unroll::spec
