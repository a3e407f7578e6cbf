// Records of TensorFlow's format TFRecord.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/file.h"

namespace unroll::run {

/// `data` as a record: its length (8 bytes), the masked CRC-32C of these 8 bytes, the data, and its
/// masked CRC-32C. All numbers are little-endian. Source: TensorFlow, lib/io/record_writer.cc.
std::string tfrecord(std::string_view data);

/// The size of a file's first `count` records. nullopt if it has fewer, or if one of them is not
/// what its checksums say. Throws FileError if the file can't be read.
std::optional<std::uint64_t> size_of_records(const InputFile& file, std::uint64_t count);

}  // namespace unroll::run
