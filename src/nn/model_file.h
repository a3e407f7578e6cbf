// A model's file: weights, and its description in the metadata.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "unroll/autograd/parameter.h"
#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::nn {

/// Views of the parameters' memory, for files and infer::Model.
std::vector<io::ArrayView> views_of(const Parameters& parameters);

/// The bytes of a file with these weights and this description.
std::vector<std::byte> model_bytes(const spec::ModelSpec& spec, const Parameters& parameters);

/// Writes the file atomically. Throws FileError.
void save_model(const std::string& path, const spec::ModelSpec& spec, const Parameters& parameters);

}  // namespace unroll::nn
