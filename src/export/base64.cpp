#include "export/base64.h"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace unroll::exporter {

std::string base64(std::span<const std::byte> bytes) {
  constexpr std::size_t kPiece = 3 << 20;                  // OpenSSL counts in int
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // and the 0 that OpenSSL writes
  auto* out = reinterpret_cast<unsigned char*>(text.data());
  for (std::size_t first = 0; first < bytes.size(); first += kPiece) {
    const auto piece = bytes.subspan(first, std::min(kPiece, bytes.size() - first));
    out += EVP_EncodeBlock(out, reinterpret_cast<const unsigned char*>(piece.data()),
                           static_cast<int>(piece.size()));
  }
  text.pop_back();
  return text;
}

std::string base64(std::span<const float> values) {
  std::vector<std::byte> bytes;
  bytes.reserve(values.size_bytes());
  for (const float value : values)
    for (int shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<std::byte>(std::bit_cast<std::uint32_t>(value) >> shift));
  return base64(bytes);
}

}  // namespace unroll::exporter
