// Exports a model as one C++17 header, for programs without libraries: microcontrollers, audio
// plug-ins, games.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::exporter {

struct CppOptions {
  std::string name = "model";  ///< the namespace of the header
  bool int8 = false;           ///< store matrices in 8 bits, with a scale for each row
};

struct CppHeader {
  std::string text;
  std::size_t weight_bytes = 0;  ///< size of the constants
  std::size_t object_bytes = 0;  ///< sizeof(Model): all its memory, except the stack
};

/// Whether a text can be CppOptions::name. It must start with a letter, have only letters, digits
/// and single underscores, and not be taken.
bool is_cpp_name(std::string_view name);

/// Whether C++ or the C library uses the name in the global scope: as a keyword, macro, function or
/// type, including those of POSIX and GNU. Source: ISO C++20, ISO C17 (section 7 and annex B),
/// POSIX.1-2017.
bool is_taken_cpp_name(std::string_view name);

/// A header that runs the model step by step in f32, like infer::Stream. Results differ by
/// rounding, because the header calls no fused multiply-add. It allocates nothing, and the only
/// library function it calls is memcpy of 4 bytes.
///
/// Throws ValueError for an invalid name and, with the reason, for a model that no Stream can run.
/// Throws FormatError for weights that do not fit the description, or are not finite.
CppHeader cpp_header(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights,
                     const CppOptions& options = {});

}  // namespace unroll::exporter
