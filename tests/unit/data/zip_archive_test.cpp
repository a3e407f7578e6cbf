#include "data/zip_archive.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "support/expect_error.h"
#include "unit/import/archives.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

using importer::Bytes;
using importer::bytes_of;
using importer::zip_of;
using test::error_of;

constexpr ZipUse kUse = {.operation = "read", .growth = 4, .remedy = "save less"};

TEST(ZipArchive, ReadsWhatWasWritten) {
  for (const bool compressed : {false, true}) {
    const Bytes bytes =
        zip_of({{"a/one", "first"}, {"../../etc/passwd", "only a name"}, {"a/0", ""}}, compressed);
    ZipArchive archive(bytes, "x.pt", kUse);
    EXPECT_TRUE(archive.has("a/one"));
    EXPECT_FALSE(archive.has("one"));
    EXPECT_EQ(archive.only_entry_ending_in("/one"), "a/one");
    EXPECT_EQ(archive.only_entry_ending_in("e"), "a/one");
    EXPECT_EQ(archive.only_entry_ending_in("a"), "");
    EXPECT_EQ(archive.read("a/one", 5), bytes_of("first"));
    EXPECT_EQ(archive.read("../../etc/passwd", 100), bytes_of("only a name"));
    EXPECT_EQ(archive.read("a/0", 0), Bytes());
  }
}

TEST(ZipArchive, RefusesByName) {
  const Bytes bytes = zip_of({{"a", "12345"}, {"\x1b[2J", "x"}});
  ZipArchive archive(bytes, "x.pt", kUse);
  EXPECT_EQ(error_of<FormatError>([&] { archive.read("b", 9); }),
            "[read] x.pt: there is no entry \"b\"; the file is damaged, save or download it again");
  EXPECT_NE(error_of<FormatError>([&] {
              archive.read("a", 4);
            }).find("5 bytes, more than 4, the limit of Unroll; save less"),
            std::string::npos);
  EXPECT_THROW(ZipArchive(bytes_of("PK but no archive"), "x.pt", kUse), FormatError);
}

TEST(ZipArchive, NeverBecomesMuchLongerThanItIs) {
  const Bytes bomb = zip_of({{"a", std::string(10'000'000, '\0')}}, true);
  ASSERT_LT(bomb.size(), 20'000u);
  ZipArchive archive(bomb, "x.pt", kUse);
  EXPECT_NE(error_of<FormatError>([&] {
              archive.read("a", 1 << 30);
            }).find("more than 4 times the archive's size, the limit"),
            std::string::npos);
  // Reading one entry again and again reaches the same limit.
  const Bytes one = zip_of({{"a", std::string(1000, 'x')}});
  ZipArchive again(one, "x.pt", kUse);
  EXPECT_THROW(
      {
        for (int i = 0; i < 2000; ++i) again.read("a", 1000);
      },
      FormatError);
}

/// Reads all entries of a possibly damaged archive. Every entry that can be read must be complete.
std::size_t read_all(const Bytes& bytes, const std::map<std::string, Bytes>& content) {
  std::size_t read = 0;
  try {
    ZipArchive archive(bytes, "x.pt", kUse);
    for (const auto& [name, expected] : content) {
      if (!archive.has(name)) continue;
      EXPECT_EQ(archive.read(name, 1 << 20), expected);
      ++read;
    }
  } catch (const FormatError&) {
  }
  return read;
}

TEST(ZipArchive, DamageIsFound) {
  const std::map<std::string, Bytes> content = {
      {"a/data.pkl", bytes_of("some pickle of some length")},
      {"a/data/0", bytes_of(std::string(90, 'w'))}};
  for (const bool compressed : {false, true}) {
    const Bytes good =
        zip_of({{"a/data.pkl", "some pickle of some length"}, {"a/data/0", std::string(90, 'w')}},
               compressed);
    EXPECT_EQ(read_all(good, content), 2u);
    for (std::size_t size = 0; size < good.size(); ++size)
      EXPECT_LT(read_all({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}, content),
                2u)
          << size;
    Bytes bad = good;
    for (std::size_t i = 0; i < good.size(); ++i)
      for (int bit = 0; bit < 8; ++bit) {
        bad[i] ^= static_cast<std::byte>(1 << bit);
        read_all(bad, content);
        bad[i] = good[i];
      }
  }
}

}  // namespace
}  // namespace unroll::data
