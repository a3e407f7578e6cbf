// Decodes gzip files in memory, into no more memory than the caller expects.
//
// A file must be exactly one gzip member with nothing after it. Gzip itself allows several members,
// but no published data set needs them. Refusing them keeps "one file, one length, one checksum".
// libdeflate decodes whole files and checks CRC-32 and length. zlib is a third as fast, and decodes
// the start of a file, for which there is no checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace unroll::data {

bool is_gzip(std::span<const std::byte> bytes);  ///< judged by the magic bytes 1f 8b

/// The length of the content modulo 2^32: the last four bytes of an undamaged file. 0 if the file
/// has fewer than four bytes.
std::uint32_t gzip_length(std::span<const std::byte> compressed);

/// The first `size` bytes of the content (1 to below 4 GiB), or the whole content if it is shorter.
/// Throws FormatError, which names `path`, if these bytes can't be decoded or the file ends within
/// them. If the file is too small to hold `size` bytes, throws before it allocates. Checks neither
/// CRC-32 nor length, nor the bytes that follow.
std::vector<std::uint8_t> gunzip_start(const std::string& path,
                                       std::span<const std::byte> compressed, std::uint64_t size);

/// The whole content, which must have exactly `size` bytes. Decodes nothing beyond them. Throws
/// FormatError, which names `path`, if the file is damaged, too short or too long, or if members or
/// bytes follow the first member. If the file is too small to hold `size` bytes, throws before it
/// allocates.
std::vector<std::uint8_t> gunzip(const std::string& path, std::span<const std::byte> compressed,
                                 std::uint64_t size);

/// Throws FormatError: the file is damaged or truncated.
[[noreturn]] void refuse_damaged_gzip(const std::string& path);

/// Throws FormatError: `rest` bytes follow the first member; they are another member, or junk.
[[noreturn]] void refuse_after_gzip(const std::string& path, bool is_member, std::uint64_t rest);

}  // namespace unroll::data
