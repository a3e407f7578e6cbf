// A model as one C++17 header, for programs that take no library: microcontrollers, audio plug-ins,
// games.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::exporter {

struct CppOptions {
  std::string name = "model";  ///< the namespace of all that is in the header
  bool int8 = false;           ///< matrices in 8 bits, with a scale for each row
};

struct CppHeader {
  std::string text;
  std::size_t weight_bytes = 0;  ///< of the constants
  std::size_t object_bytes = 0;  ///< sizeof(Model): all memory it works with, but for the stack
};

/// Whether a text may be CppOptions::name: letters, digits and single underscores, starting with a
/// letter, and not taken.
bool is_cpp_name(std::string_view name);

/// Whether C++ or C's library has the name in the global scope: a keyword, a macro, a function or a
/// type, of POSIX and GNU too. Source: ISO C++20, ISO C17 (section 7 and annex B), POSIX.1-2017.
bool is_taken_cpp_name(std::string_view name);

/// A header that runs the model step by step in f32 as infer::Stream does, up to rounding: it has
/// no fused multiply-add by name. It allocates nothing and calls no library but memcpy of 4 bytes.
///
/// Throws ValueError for another name, and, with the reason, for a model that no Stream can run;
/// FormatError for weights that don't fit the description, or are not finite.
CppHeader cpp_header(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights,
                     const CppOptions& options = {});

}  // namespace unroll::exporter
