// Writes a model's layers as the parts of an exported C++ header.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::exporter {

/// The parts as C++ text, and their sizes in memory.
struct CppParts {
  std::string functions;         ///< functions that reset() and step() call
  std::string constants;         ///< the weights
  std::string fields;            ///< the model's states and buffers
  std::string reset, step;       ///< statements; a step reads `in` and writes `out`
  std::size_t weight_bytes = 0;  ///< size of the constants
  std::size_t object_bytes = 0;  ///< size of the fields
};

/// The parts for a model that can run step by step. The weights must fit it. With int8, matrices
/// are stored in 8 bits.
///
/// Throws FormatError for weights that are not finite.
CppParts cpp_parts(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights, bool int8);

}  // namespace unroll::exporter
