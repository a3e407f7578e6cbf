// Files of text, also as .gz.
#pragma once

#include <cstdint>
#include <string>

#include "data/recordings.h"

namespace unroll::data {

/// The content of a file, decompressed if it is gzip. Throws FileError, and FormatError for damage.
std::string read_content(const std::string& path);

/// At least the first `size` bytes of the content, or all of it.
std::string read_content_start(const std::string& path, std::uint64_t size);

/// Size and hash of a file. Throws FileError.
RecordedFile recorded_file(const std::string& path, const std::string& role);

}  // namespace unroll::data
