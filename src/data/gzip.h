// Gzip files in memory, decoded into no more memory than their reader asked for.
//
// The rule: a file is exactly one member with nothing after it. Gzip itself allows several members
// in a row, but no published data set needs them, and refusing them keeps "one file, one length,
// one checksum". libdeflate decodes whole files and checks CRC-32 and length; zlib, a third as
// fast, decodes the start of one, for which there is no checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace unroll::data {

bool is_gzip(std::span<const std::byte> bytes);  ///< by the magic 1f 8b

/// The length of the content, modulo 2^32, as the last four bytes of a sound file tell it; 0 where
/// there are not as many.
std::uint32_t gzip_length(std::span<const std::byte> compressed);

/// The first `size` bytes of the content, 1 to below 4 GiB, or all of it where it has fewer.
/// Throws FormatError, naming `path`, where these can't be decoded or the file ends within them;
/// before it allocates where so few bytes can't hold `size`. Neither CRC-32 nor length nor what
/// follows is checked.
std::vector<std::uint8_t> gunzip_start(const std::string& path,
                                       std::span<const std::byte> compressed, std::uint64_t size);

/// The whole content, which must have exactly `size` bytes; nothing beyond them is decoded.
/// Throws FormatError, naming `path`, for a damaged, short or long file and for more members or
/// bytes after the first; before it allocates where so few bytes can't hold `size`.
std::vector<std::uint8_t> gunzip(const std::string& path, std::span<const std::byte> compressed,
                                 std::uint64_t size);

}  // namespace unroll::data
