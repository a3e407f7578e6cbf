// Damaged and wrong files: a test for each row of the list of faults in docs/robustness.md, with
// the library's error and the program's.
#include <gtest/gtest.h>

#include <filesystem>

#include "data/idx.h"
#include "support/child_process.h"
#include "support/refusal.h"
#include "unit/data/idx_files.h"
#include "unroll/core/error.h"
#include "unroll/data/mnist.h"

namespace unroll::data {
namespace {

using test::ChildProcess;
using test::error_of;
using test::expect_line;
using test::expect_refused;
using test::gzipped;
using test::idx_header;
using test::idx_images;
using test::idx_labels;
using test::TemporaryFolder;
using test::write_set;

/// A good set, in which a test damages a file.
struct DamagedSet {
  TemporaryFolder folder;
  std::string path = write_set(folder, "set");

  /// The library's error for a file of the training set with this content. Also expects that the
  /// program refuses to train with the set.
  void expect(Part part, const std::string& content, std::vector<std::string> parts,
              const test::ProgramOptions& options = {}) const {
    const std::string file = folder.write("set/" + file_name_of(part), content);
    parts.push_back(file);
    const std::string error = error_of<FormatError>([&] { read_idx(file, part); });
    for (const std::string& p : parts) expect_line(error, {p});
    expect_program(parts, options);
    write_set(folder, "set");
  }

  void expect_program(const std::vector<std::string>& parts,
                      const test::ProgramOptions& options = {}) const {
    expect_refused({"train", path, "--steps", "1", "--out", "run"}, 1, parts, options);
  }

  static std::string file_name_of(Part part) {
    return part == Part::images ? test::train_images : test::train_labels;
  }
};

// The limit of the address space. The sizes in the files would exceed it.
const test::ProgramOptions half_a_gigabyte{.script = test::within_megabytes(512)};

/// The same for the library, in a process that may allocate only a little more memory.
std::string refusal_within(std::uint64_t memory, const std::string& path, Part part) {
  return ChildProcess([&]() -> std::string {
           test::limit_address_space(memory);
           read_idx(path, part);
           return "accepted";
         })
      .wait();
}

#define SKIP_WITHOUT_ADDRESS_SPACE_LIMIT() \
  if (!test::can_limit_address_space()) GTEST_SKIP() << "a sanitizer needs the address space"

TEST(Fault01, EmptyAndTinyFiles) {
  const DamagedSet set;
  for (const std::string& whole : {idx_images(1), gzipped(idx_images(1)), std::string(15, '\0'),
                                   std::string("Hello, whoever you are")})
    for (const std::size_t size : {0, 3, 15})
      set.expect(Part::images, whole.substr(0, size), {"truncated", "download it again"});
}

TEST(Fault02, WrongMagicTypeOrRank) {
  const DamagedSet set;
  const std::string pixels(4, 'p');
  set.expect(Part::images, "\x01\x02\x03\x04" + idx_images(1, 2, 2),
             {"not gzip and not idx", "01 02 03 04", "download it again"});
  set.expect(Part::images, idx_header({1, 2, 2}, '\x0d') + pixels,
             {"element type 0x0d", "save it again as bytes"});
  set.expect(Part::images, idx_header({1, 1, 2, 2}) + pixels,
             {"rank 4", "rank 3", "is it the right file?"});
}

TEST(Fault03, CountOf4GiBInA4KBFile) {
  SKIP_WITHOUT_ADDRESS_SPACE_LIMIT();
  const DamagedSet set;
  const std::string images = idx_header({0xffffffff, 28, 28}) + std::string(4080, '\0');
  const std::string labels = idx_header({0xffffffff}) + std::string(4088, '\0');
  for (const auto& [content, part] : {std::pair(images, Part::images), {labels, Part::labels}}) {
    set.expect(part, content, {"truncated", "download it again"}, half_a_gigabyte);
    set.expect(part, gzipped(content), {"more than", "damaged", "download it again"},
               half_a_gigabyte);
    const std::string file = set.folder.write("alone", content);
    expect_line(refusal_within(std::uint64_t{512} << 20, file, part), {file, "truncated"});
  }
  // 784 MB: a possible size of a file, but this file is smaller.
  set.expect(Part::images, gzipped(idx_header({1000000, 28, 28}) + std::string(4080, '\0')),
             {"more than gzip can hold", "download it again"}, half_a_gigabyte);
}

TEST(Fault04, TheSameInASparse3TBFile) {
  SKIP_WITHOUT_ADDRESS_SPACE_LIMIT();
  const DamagedSet set;
  const auto expect = [&](Part part, const std::string& start, const std::string& why) {
    const std::string path = set.folder.write("set/" + set.file_name_of(part), start);
    std::error_code code;
    std::filesystem::resize_file(path, 16 + std::uint64_t{0xffffffff} * 28 * 28, code);
    if (code) GTEST_SKIP() << "no sparse file of 3 TB here: " << code.message();
    set.expect_program({path, why, "download it again"}, half_a_gigabyte);
    write_set(set.folder, "set");
  };
  expect(Part::images, idx_header({0xffffffff, 28, 28}), "more than");
  expect(Part::labels, idx_header({0xffffffff}), "too long");
  expect(Part::images, gzipped(idx_images(1)), "more than");
}

TEST(Fault05, ProductThatOverflows) {
  const DamagedSet set;
  // The second product is 2^64 + 0: in 64 bits it is the number of values that follow.
  for (const std::string& header :
       {idx_header({0xffffffff, 0xffffffff, 0xffffffff}), idx_header({0x80000000, 0x80000000, 4})})
    for (const std::string& content : {header, gzipped(header)})
      set.expect(Part::images, content, {"overflows", "download it again"});
}

TEST(Fault06, OneByteShortOrLong) {
  const DamagedSet set;
  const std::string sound = idx_images(3);
  const std::string brief = sound.substr(0, sound.size() - 1), lengthy = sound + '\0';
  set.expect(Part::images, brief, {"truncated", "2351", "2352", "download it again"});
  set.expect(Part::images, gzipped(brief), {"truncated", "2367", "2368", "download it again"});
  set.expect(Part::images, lengthy, {"too long", "2353", "2352", "download it again"});
  set.expect(Part::images, gzipped(lengthy), {"more than the 2368 bytes", "download it again"});
}

TEST(Fault07, NoRowsOrAnOddShape) {
  const TemporaryFolder folder;
  write_set(folder, "mnist");
  const auto expect = [&](const std::string& content, const std::string& shape,
                          const std::string& remedy) {
    const std::string path = folder.write("mnist/train-images-idx3-ubyte", content);
    expect_line(error_of<ShapeError>([&] { mnist(Split::train, {.data_dir = folder.path()}); }),
                {path, shape, remedy});
    expect_refused({"train", "mnist", "--data-dir", folder.path(), "--out", "run"}, 1,
                   {path, shape, remedy});
  };
  expect(idx_images(30, 27, 29), "27x29", "28x28; is it the right file?");
  expect(idx_header({30, 0, 28}), "30x0x28", "download it again");
  expect(idx_header({0, 28, 28}), "0x28x28", "download it again");
}

TEST(Fault08, CountsDiffer) {
  const DamagedSet set;
  set.folder.write("set/train-labels-idx1-ubyte", idx_labels(29));
  set.expect_program({set.path + "/train-images", set.path + "/train-labels", "30 images",
                      "29 labels", "is one file of another split?"});
}

// Of a known set. The labels of another folder say how many classes there are.
TEST(Fault09, LabelOutOfRange) {
  const TemporaryFolder folder;
  write_set(folder, "mnist");
  for (const int label : {10, 255}) {
    std::string labels = idx_labels(30);
    labels[8 + 17] = static_cast<char>(label);
    const std::string path = folder.write("mnist/train-labels-idx1-ubyte", labels);
    expect_refused(
        {"train", "mnist", "--data-dir", folder.path(), "--out", "run"}, 1,
        {path, "label " + std::to_string(label), "index 17", "0 to 9", "download it again"});
  }
}

TEST(Fault10, FilesSwapped) {
  const TemporaryFolder folder;
  const std::string kinds = write_set(folder, "kinds");
  folder.write("kinds/train-images-idx3-ubyte", idx_labels(30));
  folder.write("kinds/t10k-labels-idx1-ubyte", idx_images(10));
  expect_line(error_of<FormatError>([&] { open_folder(Split::train, kinds); }),
              {kinds + "/train-images", "looks like a labels file", "swapped"});
  expect_line(error_of<FormatError>([&] { open_folder(Split::test, kinds); }),
              {kinds + "/t10k-labels", "looks like an images file", "swapped"});
  expect_refused({"train", kinds, "--out", "run"}, 1, {kinds + "/train-images", "swapped?"});

  const std::string splits = folder / "splits";
  folder.write("splits/train-images-idx3-ubyte", idx_images(10000, 1, 1));
  folder.write("splits/train-labels-idx1-ubyte", idx_labels(10000));
  folder.write("splits/t10k-images-idx3-ubyte", gzipped(idx_images(60000, 1, 1)));
  folder.write("splits/t10k-labels-idx1-ubyte", idx_labels(60000));
  for (const Split split : {Split::train, Split::test})
    expect_line(error_of<FormatError>([&] { open_folder(split, splits); }), {splits, "swapped"});
  expect_refused({"train", splits, "--out", "run"}, 1, {splits, "swapped"});
}

TEST(Fault11, GzipBomb) {
  // 64 MB of zeros behind the header of one image, in memory for little more than that image.
  const std::string bomb = gzipped(idx_header({1, 28, 28}) + std::string(64 << 20, '\0'));
  ASSERT_LT(bomb.size(), 1 << 20);
  const DamagedSet set;
  set.expect(Part::images, bomb, {"more than the 800 bytes", "download it again"});
  SKIP_WITHOUT_ADDRESS_SPACE_LIMIT();
  const std::string path = set.folder.write("bomb", bomb);
  expect_line(refusal_within(16 << 20, path, Part::images), {path, "more than the 800 bytes"});
}

TEST(Fault12, BadChecksumLengthOrJunk) {
  const DamagedSet set;
  const std::string sound = gzipped(idx_images(200));
  for (std::size_t back = 1; back <= 8; ++back) {  // CRC-32, then the length
    std::string damaged = sound;
    damaged[damaged.size() - back] ^= 0x10;
    set.expect(Part::images, damaged, {"damaged", "download it again"});
  }
  set.expect(Part::images, sound + "junk", {"4 bytes of junk", "download it again"});
}

TEST(Fault13, ConcatenatedMembersAreRefused) {
  const DamagedSet set;
  const std::string content = idx_images(2);
  for (const std::size_t split : {std::size_t{16}, std::size_t{1000}, content.size()})
    set.expect(Part::images, gzipped(content.substr(0, split)) + gzipped(content.substr(split)),
               {"more than one gzip member", "compress its content again"});
}

TEST(Fault14, PageOrPointerNamedGz) {
  const DamagedSet set;
  const std::string name = "set/" + std::string(test::train_images) + ".gz";
  const auto expect = [&](const std::string& content, const std::string& what) {
    const std::string path = set.folder.write(name, content);
    set.expect_program({path, "not gzip and not idx", what, "download it again"});
  };
  expect("\n<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n", "HTML");
  expect("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9912422\n",
         "Git LFS pointer");
}

TEST(Fault15, TheNameDoesNotDecide) {
  const TemporaryFolder folder;
  const std::string content = idx_images(5);
  const Idx raw = read_idx(folder.write("raw.gz", content), Part::images);
  const Idx compressed = read_idx(folder.write("compressed", gzipped(content)), Part::images);
  EXPECT_EQ(raw.shape, (std::vector<std::int64_t>{5, 28, 28}));
  EXPECT_EQ(compressed.shape, raw.shape);
  EXPECT_EQ(std::string(raw.values.begin(), raw.values.end()), content.substr(16));
  EXPECT_EQ(compressed.values, raw.values);
}

TEST(Fault15, TheProgramTrainsWithBoth) {
  const DamagedSet set;
  const std::string images = set.path + "/" + test::train_images;
  std::filesystem::rename(images, images + ".gz");
  set.folder.write("set/" + std::string(test::train_labels), gzipped(idx_labels(30)));
  EXPECT_EQ(test::run_program({"train", set.path, "--steps", "1", "--batch-size", "10"}).code, 0);
}

}  // namespace
}  // namespace unroll::data
