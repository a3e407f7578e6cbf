// Bytes as text.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace unroll::exporter {

/// The bytes as base64, with padding. Source: RFC 4648, section 4.
std::string base64(std::span<const std::byte> bytes);

/// The bytes of the numbers, the lowest byte first on every machine.
std::string base64(std::span<const float> values);

}  // namespace unroll::exporter
