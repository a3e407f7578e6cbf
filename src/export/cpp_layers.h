// A model's layers as the pieces of an exported C++ header.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::exporter {

/// C++ text, and what it takes of memory.
struct CppParts {
  std::string functions;         ///< what reset() and step() call
  std::string constants;         ///< the weights
  std::string fields;            ///< of the model: its states and what a step works with
  std::string reset, step;       ///< statements; a step goes from `in` to `out`
  std::size_t weight_bytes = 0;  ///< of the constants
  std::size_t object_bytes = 0;  ///< of the fields
};

/// The layers of a model that runs step by step, one after the other, with weights that fit it.
/// With int8 its matrices are in 8 bits.
///
/// Throws FormatError for weights that are not finite.
CppParts cpp_parts(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights, bool int8);

}  // namespace unroll::exporter
