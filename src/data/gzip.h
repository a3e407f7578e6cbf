// Gzip files in memory, decoded into no more memory than their reader asked for.
//
// The rule: a file is exactly one member with nothing after it. Gzip itself allows several members
// in a row, but no published data set needs them, and refusing them keeps "one file, one length,
// one checksum". libdeflate checks CRC-32 and length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace unroll::data {

bool is_gzip(std::span<const std::byte> bytes);  ///< by the magic 1f 8b

/// The first bytes of the content: all of it below 64 KiB, else at least its first 64 KiB.
/// Throws FormatError, naming `path`, where the file is damaged that early.
std::vector<std::uint8_t> gunzip_start(const std::string& path,
                                       std::span<const std::byte> compressed);

/// The whole content, which must have exactly `size` bytes; nothing beyond them is decoded.
/// Throws FormatError, naming `path`, for a damaged, short or long file and for more members or
/// bytes after the first; before it allocates where so few bytes can't hold `size`.
std::vector<std::uint8_t> gunzip(const std::string& path, std::span<const std::byte> compressed,
                                 std::uint64_t size);

}  // namespace unroll::data
