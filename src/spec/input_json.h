// The JSON form of a model's input.
#pragma once

#include <cstdint>

#include "spec/json_reader.h"
#include "unroll/spec/model_spec.h"

namespace unroll::spec {

/// The oldest version of the format that can express the model's input.
int version_of_input(const ModelSpec& spec);

Json json_of(const InputSpec& input, int version);

/// Reads an input. In versions 2 and 3 its meaning also depends on the model's output and data set,
/// which `spec` must have.
InputSpec input_from(const Json& json, std::int64_t version, const ModelSpec& spec);

}  // namespace unroll::spec
