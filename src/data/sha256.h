// SHA-256, which is how files and their contents are recognised.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace unroll::data {

/// The SHA-256 of the bytes, as 64 lower-case hexadecimal digits. Source: FIPS 180-4.
std::string sha256(std::span<const std::byte> bytes);

/// The same of bytes that come one after the other.
class Sha256 {
 public:
  Sha256();
  void add(std::span<const std::byte> bytes);
  std::string digits() const;  ///< of all bytes so far

 private:
  std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
};

}  // namespace unroll::data
