// Files that are not what they should be: each row of the list of faults that must not hurt.
#include <gtest/gtest.h>

#include <filesystem>

#include "data/idx.h"
#include "support/child_process.h"
#include "unit/data/idx_files.h"
#include "unroll/core/error.h"
#include "unroll/data/mnist.h"

namespace unroll::data {
namespace {

using test::ChildProcess;
using test::error_of;
using test::expect_line;
using test::gzipped;
using test::idx_header;
using test::idx_images;
using test::idx_labels;
using test::TemporaryFolder;
using test::write_set;

constexpr std::uint64_t half_a_gigabyte = std::uint64_t{512} << 20;

std::string refusal(const std::string& path, Part part) {
  return error_of<FormatError>([&] { read_idx(path, part); });
}

// The same in a process that may have little memory.
std::string refusal_within(std::uint64_t memory, const std::string& path, Part part) {
  return ChildProcess([&]() -> std::string {
           test::limit_address_space(memory);
           read_idx(path, part);
           return "accepted";
         })
      .wait();
}

TEST(Faults, Row01_EmptyAndTinyFiles) {
  const TemporaryFolder folder;
  for (const std::string& whole : {idx_images(1), gzipped(idx_images(1)), std::string(15, '\0'),
                                   std::string("Hello, whoever you are")})
    for (const std::size_t size : {0, 3, 15}) {
      const std::string path = folder.write("a.gz", whole.substr(0, size));
      expect_line(refusal(path, Part::images), {path, "truncated", "download it again"});
    }
}

TEST(Faults, Row02_WrongMagicTypeOrRank) {
  const TemporaryFolder folder;
  const std::string pixels(4, 'p');
  const std::string magic = folder.write("magic", "\x01\x02\x03\x04" + idx_images(1, 2, 2));
  expect_line(refusal(magic, Part::images), {magic, "not gzip and not idx", "01 02 03 04"});
  const std::string type = folder.write("type", idx_header({1, 2, 2}, '\x0d') + pixels);
  expect_line(refusal(type, Part::images), {type, "element type 0x0d"});
  const std::string rank = folder.write("rank", idx_header({1, 1, 2, 2}) + pixels);
  expect_line(refusal(rank, Part::images), {rank, "rank 4", "rank 3"});
}

TEST(Faults, Row03_CountOf4GiBInA4KBFile) {
  const TemporaryFolder folder;
  const std::string images = idx_header({0xffffffff, 28, 28}) + std::string(4080, '\0');
  const std::string labels = idx_header({0xffffffff}) + std::string(4088, '\0');
  for (const auto& [content, part] : {std::pair(images, Part::images), {labels, Part::labels}}) {
    const std::string raw = folder.write("raw", content);
    expect_line(refusal_within(half_a_gigabyte, raw, part),
                {raw, "truncated", "download it again"});
    const std::string gzip = folder.write("gzip", gzipped(content));
    expect_line(refusal_within(half_a_gigabyte, gzip, part), {gzip, "more than", "damaged"});
  }
  // 784 MB: a size that a file may have, but not this one.
  const std::string less =
      folder.write("less", gzipped(idx_header({1000000, 28, 28}) + std::string(4080, '\0')));
  expect_line(refusal_within(half_a_gigabyte, less, Part::images),
              {less, "more than gzip can hold", "download it again"});
}

TEST(Faults, Row04_TheSameInASparse3TBFile) {
  const TemporaryFolder folder;
  const std::string exact = folder.write("exact", idx_header({0xffffffff, 28, 28}));
  const std::string labels = folder.write("labels", idx_header({0xffffffff}));
  const std::string gzip = folder.write("gzip", gzipped(idx_images(1)));
  std::error_code code;
  for (const std::string& path : {exact, labels, gzip}) {
    std::filesystem::resize_file(path, 16 + std::uint64_t{0xffffffff} * 28 * 28, code);
    if (code) GTEST_SKIP() << "no sparse file of 3 TB here: " << code.message();
  }
  expect_line(refusal_within(half_a_gigabyte, exact, Part::images), {exact, "more than"});
  expect_line(refusal_within(half_a_gigabyte, labels, Part::labels), {labels, "too long"});
  expect_line(refusal_within(half_a_gigabyte, gzip, Part::images), {gzip, "more than"});
}

TEST(Faults, Row05_ProductThatOverflows) {
  const TemporaryFolder folder;
  // The second product is 2^64 + 0: in 64 bits it is the number of values that follow.
  for (const std::string& header :
       {idx_header({0xffffffff, 0xffffffff, 0xffffffff}), idx_header({0x80000000, 0x80000000, 4})})
    for (const std::string& file : {header, gzipped(header)}) {
      const std::string path = folder.write("a", file);
      expect_line(refusal_within(half_a_gigabyte, path, Part::images), {path, "overflows"});
    }
}

TEST(Faults, Row06_OneByteShortOrLong) {
  const TemporaryFolder folder;
  const std::string sound = idx_images(3);
  const std::string brief = sound.substr(0, sound.size() - 1), lengthy = sound + '\0';
  const std::string a = folder.write("a", brief), b = folder.write("b", gzipped(brief));
  const std::string c = folder.write("c", lengthy), d = folder.write("d", gzipped(lengthy));
  expect_line(refusal(a, Part::images), {a, "truncated", "2351", "2352"});
  expect_line(refusal(b, Part::images), {b, "truncated", "2367", "2368"});
  expect_line(refusal(c, Part::images), {c, "too long", "2353", "2352"});
  expect_line(refusal(d, Part::images), {d, "more than the 2368 bytes"});
}

TEST(Faults, Row07_NoRowsOrAnOddShape) {
  const TemporaryFolder folder;
  write_set(folder, "mnist");
  const auto message = [&] {
    return error_of<ShapeError>([&] { mnist(Split::train, {.data_dir = folder.path()}); });
  };
  const std::string path = folder.write("mnist/train-images-idx3-ubyte", idx_images(30, 27, 29));
  expect_line(message(), {path, "27x29", "28x28"});
  folder.write("mnist/train-images-idx3-ubyte", idx_header({30, 0, 28}));
  expect_line(message(), {path, "30x0x28", "at least 1"});
  folder.write("mnist/train-images-idx3-ubyte", idx_header({0, 28, 28}));
  expect_line(message(), {path, "0x28x28", "at least 1"});
}

TEST(Faults, Row08_CountsDiffer) {
  const TemporaryFolder folder;
  write_set(folder, "mnist");
  folder.write("mnist/train-labels-idx1-ubyte", idx_labels(29));
  expect_line(
      error_of<FormatError>([&] { mnist(Split::train, {.data_dir = folder.path()}); }),
      {folder / "mnist/train-images", folder / "mnist/train-labels", "30 images", "29 labels"});
}

TEST(Faults, Row09_LabelOutOfRange) {
  const TemporaryFolder folder;
  write_set(folder, "mnist");
  for (const int label : {10, 255}) {
    std::string labels = idx_labels(30);
    labels[8 + 17] = static_cast<char>(label);
    const std::string path = folder.write("mnist/train-labels-idx1-ubyte", labels);
    expect_line(error_of<FormatError>([&] { mnist(Split::train, {.data_dir = folder.path()}); }),
                {path, "label " + std::to_string(label), "index 17", "0 to 9"});
  }
}

TEST(Faults, Row10_FilesSwapped) {
  const TemporaryFolder folder;
  const std::string kinds = write_set(folder, "kinds");
  folder.write("kinds/train-images-idx3-ubyte", idx_labels(30));
  folder.write("kinds/t10k-labels-idx1-ubyte", idx_images(10));
  expect_line(error_of<FormatError>([&] { open_folder(Split::train, kinds); }),
              {kinds + "/train-images", "looks like a labels file", "swapped"});
  expect_line(error_of<FormatError>([&] { open_folder(Split::test, kinds); }),
              {kinds + "/t10k-labels", "looks like an images file", "swapped"});

  const std::string splits = folder / "splits";
  folder.write("splits/train-images-idx3-ubyte", idx_images(10000, 1, 1));
  folder.write("splits/train-labels-idx1-ubyte", idx_labels(10000));
  folder.write("splits/t10k-images-idx3-ubyte", gzipped(idx_images(60000, 1, 1)));
  folder.write("splits/t10k-labels-idx1-ubyte", idx_labels(60000));
  for (const Split split : {Split::train, Split::test})
    expect_line(error_of<FormatError>([&] { open_folder(split, splits); }), {splits, "swapped"});
}

TEST(Faults, Row11_GzipBomb) {
  const TemporaryFolder folder;
  // 64 MB of zeros behind the header of one image, in memory for little more than that image.
  const std::string content = idx_header({1, 28, 28}) + std::string(64 << 20, '\0');
  const std::string path = folder.write("a.gz", gzipped(content));
  ASSERT_LT(std::filesystem::file_size(path), 1 << 20);
  expect_line(refusal_within(16 << 20, path, Part::images), {path, "more than the 800 bytes"});
}

TEST(Faults, Row12_BadChecksumLengthOrJunk) {
  const TemporaryFolder folder;
  const std::string sound = gzipped(idx_images(200));
  for (std::size_t back = 1; back <= 8; ++back) {  // CRC-32, then the length
    std::string damaged = sound;
    damaged[damaged.size() - back] ^= 0x10;
    const std::string path = folder.write("a.gz", damaged);
    expect_line(refusal(path, Part::images), {path, "damaged", "download it again"});
  }
  const std::string junk = folder.write("junk.gz", sound + "junk");
  expect_line(refusal(junk, Part::images), {junk, "4 bytes of junk"});
}

TEST(Faults, Row13_ConcatenatedMembersAreRefused) {
  const TemporaryFolder folder;
  const std::string content = idx_images(2);
  for (const std::size_t split : {std::size_t{16}, std::size_t{1000}, content.size()}) {
    const std::string path =
        folder.write("a.gz", gzipped(content.substr(0, split)) + gzipped(content.substr(split)));
    expect_line(refusal(path, Part::images), {path, "more than one gzip member"});
  }
}

TEST(Faults, Row14_PageOrPointerNamedGz) {
  const TemporaryFolder folder;
  const std::string page =
      folder.write("page.gz", "\n<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n");
  expect_line(refusal(page, Part::images),
              {page, "not gzip and not idx", "HTML", "download it again"});
  const std::string pointer = folder.write(
      "pointer.gz", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9912422\n");
  expect_line(refusal(pointer, Part::images),
              {pointer, "not gzip and not idx", "Git LFS pointer", "download it again"});
}

TEST(Faults, Row15_TheNameDoesNotDecide) {
  const TemporaryFolder folder;
  const std::string content = idx_images(5);
  const Idx raw = read_idx(folder.write("raw.gz", content), Part::images);
  const Idx compressed = read_idx(folder.write("compressed", gzipped(content)), Part::images);
  EXPECT_EQ(raw.shape, (std::vector<std::int64_t>{5, 28, 28}));
  EXPECT_EQ(compressed.shape, raw.shape);
  EXPECT_EQ(std::string(raw.values.begin(), raw.values.end()), content.substr(16));
  EXPECT_EQ(compressed.values, raw.values);
}

}  // namespace
}  // namespace unroll::data
