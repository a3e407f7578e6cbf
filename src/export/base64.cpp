#include "export/base64.h"

#include <openssl/evp.h>

#include <algorithm>

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

}  // namespace unroll::exporter
