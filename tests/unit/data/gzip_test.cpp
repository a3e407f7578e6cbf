#include "data/gzip.h"

#include <gtest/gtest.h>

#include <string>

#include "unit/data/idx_files.h"

namespace unroll::data {
namespace {

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string text(const std::vector<std::uint8_t>& content) {
  return {content.begin(), content.end()};
}

// Made by gzip 1.12: printf 'hello\n' | gzip -n
TEST(Gzip, ReadsWhatGzipWrote) {
  const std::string file(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\xe7\x02\x00"
      "\x20\x30\x3a\x36\x06\x00\x00\x00",
      26);
  EXPECT_TRUE(is_gzip(bytes(file)));
  EXPECT_EQ(text(gunzip_start("f", bytes(file))), "hello\n");
  EXPECT_EQ(text(gunzip("f", bytes(file), 6)), "hello\n");
}

TEST(Gzip, AHeaderWithANameAndATime) {
  const std::string file(
      "\x1f\x8b\x08\x08\x01\x02\x03\x04\x00\x03"
      "a.txt\x00\xcb\x48\xcd\xc9\xc9\xe7\x02\x00\x20\x30\x3a\x36\x06\x00\x00\x00",
      32);
  EXPECT_EQ(text(gunzip("f", bytes(file), 6)), "hello\n");
}

// The start of a file is what libdeflate made before it ran out of room: stored blocks and long
// matches are the pieces that might leave a hole there.
TEST(Gzip, StartOfLongContentIsSoundForEveryKindOfBlock) {
  for (const int level : {0, 1, 6, 12}) {
    for (const char* kind : {"noise", "zeros", "period"}) {
      SCOPED_TRACE(std::string(kind) + " at level " + std::to_string(level));
      std::string content(400000, '\0');
      std::uint32_t state = 1;
      for (std::size_t i = 0; i < content.size() && *kind != 'z'; ++i) {
        state = state * 1664525 + 1013904223;
        content[i] = static_cast<char>(*kind == 'n' ? state >> 24 : i % 253);
      }
      const std::string file = test::gzipped(content, level);
      const std::string start = text(gunzip_start("f", bytes(file)));
      ASSERT_GE(start.size(), std::size_t{1} << 16);
      EXPECT_EQ(start, content.substr(0, start.size()));
      EXPECT_EQ(text(gunzip("f", bytes(file), content.size())), content);
    }
  }
}

}  // namespace
}  // namespace unroll::data
