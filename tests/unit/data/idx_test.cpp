#include "data/idx.h"

#include <gtest/gtest.h>

#include "support/child_process.h"
#include "unit/data/idx_files.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

using test::error_of;
using test::expect_line;
using test::idx_header;
using test::TemporaryFolder;

using Pixels = std::vector<std::uint8_t>;
using Sizes = std::vector<std::int64_t>;

TEST(Idx, ReadsImages) {
  const TemporaryFolder folder;
  const Idx idx =
      read_idx(folder.write("a", std::string("\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x03"
                                             "\x01\x02\x03\xff\x00\x7f",
                                             22)),
               Part::images);
  EXPECT_EQ(idx.shape, (Sizes{2, 1, 3}));
  EXPECT_EQ(idx.values, (Pixels{1, 2, 3, 255, 0, 127}));
}

TEST(Idx, ReadsLabelsAndHashesTheWholeFile) {
  const TemporaryFolder folder;
  const std::string content("\0\0\x08\x01\0\0\0\x03\x07\x02\x01", 11);
  for (const std::string& file : {content, test::gzipped(content), test::gzipped(content, 0)}) {
    const Idx idx = read_idx(folder.write("a", file), Part::labels);
    EXPECT_EQ(idx.shape, Sizes{3});
    EXPECT_EQ(idx.values, (Pixels{7, 2, 1}));
    // printf '\0\0\10\1\0\0\0\3\7\2\1' | sha256sum
    EXPECT_EQ(idx.sha256, "e10ef6244367a3de9d78e7174bfb1f9fab743509b5c56243b2dd7b87e6aabb9a");
  }
  EXPECT_EQ(read_idx_shape(folder / "a", Part::labels), Sizes{3});
}

TEST(Idx, MissingFileIsAFileError) {
  expect_line(error_of<FileError>([] { read_idx("/nowhere/a", Part::images); }), {"/nowhere/a"});
}

TEST(Idx, OtherCompressionIsNamed) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a.gz", "PK\x03\x04 and a lot that follows here");
  expect_line(error_of<FormatError>([&] { read_idx(path, Part::images); }),
              {path, "zip archive", "unzip " + path});
  folder.write("a.gz", test::gzipped("something else, compressed"));
  expect_line(error_of<FormatError>([&] { read_idx(path, Part::images); }),
              {path, "gzip, its content not idx", "\"something else, compressed\""});
  folder.write("a.gz", test::gzipped("\1\2\3\4 binary, of 16 bytes or more"));
  expect_line(error_of<FormatError>([&] { read_idx(path, Part::images); }),
              {path, "starts with 01 02 03 04", "download it again"});
}

TEST(Idx, AnotherKindOfFileIsNotDownloadedAgain) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a.png", "\x89PNG\r\n\x1a\n and a lot that follows");
  expect_line(error_of<FormatError>([&] { read_idx_image(path, 0); }),
              {path, "a PNG image; give an idx file of images"});
  folder.write("a.png", "a text of more than sixteen bytes");
  expect_line(error_of<FormatError>([&] { read_idx(path, Part::labels); }),
              {path, "a text", "; give an idx file of labels"});
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

/// `count` images of noise, 2 x 3, that gzip can't make smaller.
std::string noise_images(std::uint32_t count) {
  std::string bytes = idx_header({count, 2, 3});
  std::uint32_t state = 1;
  for (std::uint32_t i = 0; i < count * 6; ++i) {
    state = state * 1664525 + 1013904223;
    bytes += static_cast<char>(state >> 24);
  }
  return bytes;
}

TEST(IdxImage, IsTheOneThatIsAskedFor) {
  const TemporaryFolder folder;
  const std::string content = noise_images(90000);
  for (const std::string& file : {content, test::gzipped(content), test::gzipped(content, 0)}) {
    const std::string path = folder.write("a", file);
    // Just before and behind the third from which on all is decoded, too.
    for (const std::int64_t index : {0, 1, 29997, 29998, 29999, 30000, 45000, 89998, 89999}) {
      const Idx idx = read_idx_image(path, index);
      EXPECT_EQ(idx.shape, (Sizes{90000, 2, 3}));
      EXPECT_EQ(std::string(idx.values.begin(), idx.values.end()),
                content.substr(16 + static_cast<std::size_t>(index) * 6, 6));
    }
  }
}

TEST(IdxImage, AnIndexThatIsNotThere) {
  const TemporaryFolder folder;
  const std::string content = test::idx_images(3, 2, 2);
  for (const std::string& file : {content, test::gzipped(content)}) {
    const std::string path = folder.write("a", file);
    for (const std::int64_t index : {std::int64_t{-1}, std::int64_t{3}, INT64_MIN, INT64_MAX})
      expect_line(error_of<ValueError>([&] { read_idx_image(path, index); }),
                  {path, "no image " + std::to_string(index) + ",", "0 to 2"});
  }
}

// Where the length at the file's end is missing, all is decoded, and says what is wrong.
TEST(IdxImage, TruncatedAnywhere) {
  const TemporaryFolder folder;
  const std::string raw = noise_images(9);
  for (const std::string& file : {raw, test::gzipped(raw)})
    for (std::size_t size = 0; size < file.size(); ++size) {
      const std::string path = folder.write("a", file.substr(0, size));
      expect_line(error_of<FormatError>([&] { read_idx_image(path, 0); }),
                  {path, "download it again"});
    }
}

TEST(IdxImage, HeaderAndContentDisagree) {
  const TemporaryFolder folder;
  const std::string sound = test::idx_images(9, 2, 2), brief = sound.substr(0, sound.size() - 1);
  const auto refusal = [&](const std::string& content) {
    const std::string path = folder.write("a", content);
    return error_of<FormatError>([&] { read_idx_image(path, 0); });
  };
  expect_line(refusal(brief), {"truncated", "35", "36"});
  expect_line(refusal(test::gzipped(brief)), {"truncated", "51", "52"});
  expect_line(refusal(sound + 'x'), {"too long", "37", "36"});
  expect_line(refusal(test::gzipped(sound + 'x')), {"more than the 52 bytes"});
  expect_line(refusal(test::gzipped(sound) + "junk"), {"4 bytes of junk"});
  expect_line(refusal(test::gzipped(sound) + test::gzipped(sound)), {"more than one gzip member"});
  expect_line(refusal(test::gzipped(test::idx_header({1000000, 28, 28}) + sound)),
              {"more than gzip can hold"});
  // A length that lies: the content ends before the image does.
  std::string lie = test::gzipped(sound.substr(0, 18));
  lie[lie.size() - 4] = 52;
  expect_line(refusal(lie), {"damaged"});
  expect_line(refusal(test::idx_labels(9)), {"looks like a labels file"});
}

// An image of a gibibyte, promised by a file of 40 bytes.
TEST(IdxImage, IsRefusedBeforeMemoryIsAskedFor) {
  if (!test::can_limit_address_space()) GTEST_SKIP() << "a sanitizer needs the address space";
  const TemporaryFolder folder;
  const std::string path = folder.write("a", test::gzipped(idx_header({1, 32768, 32768})));
  const std::string refusal = test::ChildProcess([&]() -> std::string {
                                test::limit_address_space(std::uint64_t{1} << 26);
                                read_idx_image(path, 0);
                                return "accepted";
                              }).wait();
  expect_line(refusal, {path, "more than gzip can hold"});
}

// What an image near the beginning costs: nothing behind it is decoded, so nothing there is
// noticed.
TEST(IdxImage, TheChecksumIsOfAllAndKnownLast) {
  const TemporaryFolder folder;
  const std::string content = noise_images(20000);
  const std::string sound = test::gzipped(content, 0);
  for (const std::size_t back : {5, 1000}) {  // CRC-32; a pixel of one of the last images
    std::string damaged = sound;
    damaged[damaged.size() - back] ^= 0x10;
    const std::string path = folder.write("a", damaged);
    const Idx idx = read_idx_image(path, 0);
    EXPECT_EQ(std::string(idx.values.begin(), idx.values.end()), content.substr(16, 6));
    expect_line(error_of<FormatError>([&] { read_idx_image(path, 19999); }), {path, "damaged"});
    expect_line(error_of<FormatError>([&] { read_idx(path, Part::images); }), {path, "damaged"});
  }
}

TEST(IdxImage, ABadGzipHeader) {
  const TemporaryFolder folder;
  for (const std::size_t at : {2, 3}) {  // method, reserved flags
    std::string damaged = test::gzipped(noise_images(9));
    damaged[at] = '\xff';
    const std::string path = folder.write("a", damaged);
    expect_line(error_of<FormatError>([&] { read_idx_image(path, 0); }), {path, "damaged"});
  }
}

}  // namespace
}  // namespace unroll::data
