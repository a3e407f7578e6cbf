#include "data/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "unroll/core/error.h"

namespace unroll::data {

std::string sha256(std::span<const std::byte> bytes) {
  std::array<unsigned char, 32> digest{};
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
    throw Error("sha256", "OpenSSL refuses to compute SHA-256; check its configuration");
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

}  // namespace unroll::data
