#include "data/idx.h"

#include <gtest/gtest.h>

#include "unit/data/idx_files.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

using test::error_of;
using test::expect_line;
using test::idx_header;
using test::TemporaryFolder;

using Values = std::vector<std::uint8_t>;
using Shape = std::vector<std::int64_t>;

TEST(Idx, ReadsImages) {
  const TemporaryFolder folder;
  const Idx idx =
      read_idx(folder.write("a", std::string("\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x03"
                                             "\x01\x02\x03\xff\x00\x7f",
                                             22)),
               Part::images);
  EXPECT_EQ(idx.shape, (Shape{2, 1, 3}));
  EXPECT_EQ(idx.values, (Values{1, 2, 3, 255, 0, 127}));
}

TEST(Idx, ReadsLabelsAndHashesTheWholeFile) {
  const TemporaryFolder folder;
  const std::string content("\0\0\x08\x01\0\0\0\x03\x07\x02\x01", 11);
  for (const std::string& file : {content, test::gzipped(content), test::gzipped(content, 0)}) {
    const Idx idx = read_idx(folder.write("a", file), Part::labels);
    EXPECT_EQ(idx.shape, Shape{3});
    EXPECT_EQ(idx.values, (Values{7, 2, 1}));
    // printf '\0\0\10\1\0\0\0\3\7\2\1' | sha256sum
    EXPECT_EQ(idx.sha256, "e10ef6244367a3de9d78e7174bfb1f9fab743509b5c56243b2dd7b87e6aabb9a");
  }
  EXPECT_EQ(read_idx_shape(folder / "a", Part::labels), Shape{3});
}

TEST(Idx, MissingFileIsAFileError) {
  expect_line(error_of<FileError>([] { read_idx("/nowhere/a", Part::images); }), {"/nowhere/a"});
}

TEST(Idx, OtherCompressionIsNamed) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a.gz", "PK\x03\x04 and a lot that follows here");
  expect_line(error_of<FormatError>([&] { read_idx(path, Part::images); }),
              {path, "zip archive", "download it again"});
  folder.write("a.gz", test::gzipped("something else, compressed"));
  expect_line(error_of<FormatError>([&] { read_idx(path, Part::images); }),
              {path, "gzip, its content not idx", "73 6f 6d 65"});
}

// Every truncation of a sound file is an error, whichever byte it ends at.
TEST(Idx, TruncatedAnywhere) {
  const TemporaryFolder folder;
  const std::string raw = test::idx_images(2, 3, 4);
  for (const std::string& file : {raw, test::gzipped(raw)})
    for (std::size_t size = 0; size < file.size(); ++size) {
      const std::string path = folder.write("a", file.substr(0, size));
      expect_line(error_of<FormatError>([&] { read_idx(path, Part::images); }),
                  {path, "truncated"});
    }
}

}  // namespace
}  // namespace unroll::data
