#include "data/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "unroll/core/error.h"

namespace unroll::data {

namespace {

void check_sha256(bool done) {
  if (!done) throw Error("sha256", "OpenSSL refuses to compute SHA-256; check its configuration");
}

using Context = std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)>;

Context make_context() { return {EVP_MD_CTX_new(), EVP_MD_CTX_free}; }

}  // namespace

Sha256::Sha256() : context_(make_context()) {
  check_sha256(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::add(std::span<const std::byte> bytes) {
  check_sha256(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::digits() const {
  std::array<unsigned char, 32> digest{};
  const Context copy = make_context();  // EVP_DigestFinal ends a context, so use a copy
  check_sha256(copy && EVP_MD_CTX_copy_ex(copy.get(), context_.get()) == 1 &&
               EVP_DigestFinal_ex(copy.get(), digest.data(), nullptr) == 1);
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

std::string sha256(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.digits();
}

}  // namespace unroll::data
