// The header of a safetensors file: JSON text to checked entries.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/io/safetensors.h"

namespace unroll::io {

inline constexpr std::string_view safetensors_operation = "safetensors";
inline constexpr std::string_view metadata_key = "__metadata__";

/// An array's entry in the header. Its bytes are [begin, end) of the data.
struct HeaderEntry {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;
};

struct Header {
  std::vector<HeaderEntry> entries;  ///< in the order of the data
  std::map<std::string, std::string> metadata;
};

/// True for a name that is safe to look up: not empty, no control character.
bool is_good_name(std::string_view name);

/// The size of an array in bytes. Returns false if the product of its dimensions overflows.
bool bytes_of(ElementType type, const std::vector<std::int64_t>& shape, std::uint64_t& bytes);

/// Checks the length (the first 8 bytes of a file) against the file's size, before the header is
/// read. Throws FormatError.
void check_header_length(std::uint64_t length, std::uint64_t file_size, const std::string& file);

/// Parses and checks the header of a file that has `data_size` bytes after it. Throws FormatError.
Header parse_header(std::string_view text, std::uint64_t data_size, const std::string& file);

}  // namespace unroll::io
