#include "data/gzip.h"

#include <gtest/gtest.h>

#include <string>

#include "unit/data/idx_files.h"
#include "unroll/core/error.h"

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
  EXPECT_EQ(gzip_length(bytes(file)), 6u);
  EXPECT_EQ(text(gunzip_start("f", bytes(file), 5)), "hello");
  EXPECT_EQ(text(gunzip_start("f", bytes(file), 6)), "hello\n");
  EXPECT_EQ(text(gunzip_start("f", bytes(file), 100)), "hello\n");
  EXPECT_EQ(text(gunzip("f", bytes(file), 6)), "hello\n");
}

TEST(Gzip, AHeaderWithANameAndATime) {
  const std::string file(
      "\x1f\x8b\x08\x08\x01\x02\x03\x04\x00\x03"
      "a.txt\x00\xcb\x48\xcd\xc9\xc9\xe7\x02\x00\x20\x30\x3a\x36\x06\x00\x00\x00",
      32);
  EXPECT_EQ(text(gunzip("f", bytes(file), 6)), "hello\n");
}

TEST(Gzip, StartOfLongContentForEveryKindOfBlock) {
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
      for (const std::size_t size : {1, 64, 65535, 65536, 399999, 400000, 400001})
        EXPECT_EQ(text(gunzip_start("f", bytes(file), size)), content.substr(0, size));
      EXPECT_EQ(text(gunzip("f", bytes(file), content.size())), content);
    }
  }
}

TEST(Gzip, StartOfADamagedFile) {
  const std::string content(1000, 'a');
  const std::string sound = test::gzipped(content, 0);  // stored: 10 + 5 bytes before the content
  const auto refuse = [&](const std::string& file, std::uint64_t size) {
    test::expect_line(test::error_of<FormatError>([&] { gunzip_start("f", bytes(file), size); }),
                      {"f is damaged or truncated", "download it again"});
  };
  EXPECT_EQ(text(gunzip_start("f", bytes(sound.substr(0, 15 + 500)), 500)), content.substr(0, 500));
  refuse(sound.substr(0, 15 + 499), 500);
  refuse(sound.substr(0, 9), 1);
  for (const std::size_t at : {0, 1, 2, 10}) {  // magic, magic, method, kind of block
    std::string damaged = sound;
    damaged[at] ^= 0x06;
    refuse(damaged, 500);
  }
}

}  // namespace
}  // namespace unroll::data
