// Files of text, also as .gz.
#pragma once

#include <cstddef>
#include <string>

#include "data/recordings.h"

namespace unroll::data {

/// The content of a file, decompressed if it is gzip, or its first `most` bytes. Throws FileError,
/// and FormatError for damage.
std::string read_content(const std::string& path, std::size_t most = std::string::npos);

/// Size and hash of a file. Throws FileError.
RecordedFile recorded_file(const std::string& path, const std::string& role);

}  // namespace unroll::data
