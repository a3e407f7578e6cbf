// SHA-256, which is how files and their contents are recognised.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace unroll::data {

/// The SHA-256 of the bytes, as 64 lower-case hexadecimal digits. Source: FIPS 180-4.
std::string sha256(std::span<const std::byte> bytes);

}  // namespace unroll::data
