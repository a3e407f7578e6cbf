#include "export/base64.h"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace unroll::exporter {
namespace {

// RFC 4648, section 10.
TEST(Base64, IsThatOfTheRfc) {
  for (const auto& [bytes, text] : {std::pair("", ""),
                                    {"f", "Zg=="},
                                    {"fo", "Zm8="},
                                    {"foo", "Zm9v"},
                                    {"foob", "Zm9vYg=="},
                                    {"fooba", "Zm9vYmE="},
                                    {"foobar", "Zm9vYmFy"}})
    EXPECT_EQ(base64(std::as_bytes(std::span(std::string_view(bytes)))), text);
}

// More than OpenSSL gets at once.
TEST(Base64, OfManyBytes) {
  const std::string bytes((6 << 20) + 1, '\xff');
  const std::string text = base64(std::as_bytes(std::span(bytes)));
  EXPECT_EQ(text, std::string(8 << 20, '/') + "/w==");
}

}  // namespace
}  // namespace unroll::exporter
