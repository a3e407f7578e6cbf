#include "unroll/data/mnist.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "data/catalogue.h"
#include "data/places.h"
#include "support/scoped_variable.h"
#include "unit/data/idx_files.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

using test::error_of;
using test::expect_line;
using test::idx_images;
using test::idx_labels;
using test::ScopedVariable;
using test::TemporaryFolder;
using test::write_set;

// Three places that may hold the set: data_dir, the variable's and the cache.
struct Mnist : testing::Test {
  TemporaryFolder given, named, cache;
  ScopedVariable data_variable{"UNROLL_DATA_DIR", named.path()};
  ScopedVariable cache_variable{"XDG_CACHE_HOME", cache.path()};
};

TEST_F(Mnist, ReadsBothSplits) {
  write_set(named, "mnist", 30, 10);
  const Dataset train = mnist(Split::train), test = mnist(Split::test);
  EXPECT_EQ(train.name, "mnist");
  EXPECT_EQ(train.place, named / "mnist");
  EXPECT_FALSE(train.published);
  EXPECT_EQ(train.count, 30);
  EXPECT_EQ(test.count, 10);
  EXPECT_EQ(train.rows, 28);
  EXPECT_EQ(train.columns, 28);
  ASSERT_EQ(train.images.size(), 30u * 784);
  EXPECT_EQ(train.image(1)[2], (784 + 2) % 251);
  EXPECT_EQ(train.labels[13], 3);
}

TEST_F(Mnist, TheFirstPlaceThatHoldsTheSetIsUsed) {
  const auto place = [&](const std::string& data_dir) {
    return mnist(Split::train, {.data_dir = data_dir}).place;
  };
  write_set(cache, "unroll/mnist");
  EXPECT_EQ(place(""), cache / "unroll/mnist");
  write_set(named, "mnist");
  EXPECT_EQ(place(""), named / "mnist");
  write_set(given, "mnist");
  EXPECT_EQ(place(given.path()), given / "mnist");
  EXPECT_EQ(place(""), named / "mnist");
}

TEST_F(Mnist, ABadFileIsNoReasonToLookFurther) {
  write_set(cache, "unroll/mnist");
  named.write("mnist/train-images-idx3-ubyte.gz", "bad");
  expect_line(error_of<FileError>([] { mnist(Split::train); }),
              {named / "mnist", "train-labels", "unroll data fetch mnist"});
  write_set(named, "mnist");
  expect_line(error_of<FormatError>([] { mnist(Split::train); }), {named / "mnist", "truncated"});
}

TEST_F(Mnist, MissingSaysHowToGetIt) {
  write_set(named, "mnist");
  expect_line(error_of<FileError>([&] { mnist(Split::train, {.data_dir = given.path()}); }),
              {given / "mnist", "unroll data fetch mnist"});
  expect_line(error_of<FileError>([] { mnist(Split::test, {.name = "fashion-mnist"}); }),
              {"UNROLL_DATA_DIR", cache.path(), "unroll data fetch fashion-mnist"});
  expect_line(error_of<ValueError>([] { mnist(Split::train, {.name = "minst"}); }),
              {"minst", "mnist, fashion-mnist"});
}

TEST_F(Mnist, CacheFollowsTheDesktopRules) {
  EXPECT_EQ(cache_folder(), cache / "unroll");
  const ScopedVariable relative("XDG_CACHE_HOME", "not/absolute"), home("HOME", "/home/someone");
  EXPECT_EQ(cache_folder(), "/home/someone/.cache/unroll");
}

TEST_F(Mnist, AFolderMayHoldOtherSizes) {
  given.write("digits/train-images-idx3-ubyte", idx_images(4, 27, 29));
  given.write("digits/train-labels-idx1-ubyte.gz", test::gzipped(idx_labels(4)));
  for (const std::string& folder : {given / "digits", given / "digits/"}) {
    const Dataset set = open_folder(Split::train, folder);
    EXPECT_EQ(set.name, "digits");
    EXPECT_EQ(set.rows, 27);
    EXPECT_EQ(set.columns, 29);
  }
  expect_line(error_of<FileError>([&] { open_folder(Split::test, given / "digits"); }),
              {given / "digits", "t10k-images"});
}

TEST_F(Mnist, AFolderMayHaveAnyNumberOfClasses) {
  const auto classes_of = [&](const std::string& labels) {
    write_set(given, "own", 2);
    given.write("own/train-labels-idx1-ubyte", test::idx_header({2}) + labels);
    return open_folder(Split::train, given / "own").classes;
  };
  EXPECT_EQ(classes_of(std::string(2, '\0')), 1);
  EXPECT_EQ(classes_of("\x01\x01"), 2);
  EXPECT_EQ(classes_of("\x19\x02"), 26);
  EXPECT_EQ(classes_of("\x19\xff"), 256);
  // A known set has its own.
  write_set(named, "mnist", 2);
  EXPECT_EQ(mnist(Split::train).classes, 10);
  named.write("mnist/train-labels-idx1-ubyte", test::idx_header({2}) + "\x01\x0a");
  expect_line(error_of<FormatError>([] { mnist(Split::train); }), {"the label 10", "0 to 9"});
}

TEST_F(Mnist, TorchvisionsFoldersAreFound) {
  write_set(named, "FashionMNIST/raw");
  EXPECT_EQ(mnist(Split::test, {.name = "fashion-mnist"}).place, named / "FashionMNIST/raw");
  EXPECT_THROW(mnist(Split::test), FileError);
  // Named themselves, with or without raw; the name is that of the folder around it.
  write_set(given, "MNIST/raw");
  for (const std::string& folder : {given / "MNIST", given / "MNIST/raw"}) {
    const Dataset set = open_folder(Split::train, folder);
    EXPECT_EQ(set.place, given / "MNIST/raw");
    EXPECT_EQ(set.name, "MNIST");
  }
  write_set(named, "fashion-mnist");
  EXPECT_EQ(mnist(Split::test, {.name = "fashion-mnist"}).place, named / "fashion-mnist");
}

TEST_F(Mnist, KagglesNamesAreFound) {
  // A dot in the name, or a folder of the file's own name around it.
  given.write("digits/train-images.idx3-ubyte", idx_images(4));
  given.write("digits/train-labels-idx1-ubyte/train-labels-idx1-ubyte", idx_labels(4));
  given.write("digits/t10k-images.idx3-ubyte.gz", test::gzipped(idx_images(3)));
  given.write("digits/t10k-labels.idx1-ubyte/t10k-labels.idx1-ubyte", idx_labels(3));
  EXPECT_EQ(open_folder(Split::train, given / "digits").count, 4);
  EXPECT_EQ(open_folder(Split::test, given / "digits").count, 3);
}

// The real files, where this machine has them. Debian's copy of Fashion-MNIST, compressed again by
// others, shows that the content decides.
std::string folder_of(const std::string& name) {
  const char* variable = std::getenv("UNROLL_DATA_DIR");
  for (const std::string& folder :
       {std::string(variable ? variable : "."), std::string(UNROLL_SOURCE_DIR "/../shared/data"),
        std::string("/usr/share/datasets")})
    if (std::filesystem::exists(folder + "/" + name + "/" + test::train_images + ".gz"))
      return folder;
  return "";
}

struct Real {
  const char* name;
  std::array<int, 5> train_labels, test_labels;
};

struct RealFiles : testing::TestWithParam<Real> {
  void SetUp() override {
    if (folder_of(GetParam().name).empty()) GTEST_SKIP() << GetParam().name << " isn't here";
  }
};

TEST_P(RealFiles, AreRecognised) {
  const MnistOptions options{.name = GetParam().name, .data_dir = folder_of(GetParam().name)};
  const Dataset train = mnist(Split::train, options), test = mnist(Split::test, options);
  EXPECT_EQ(train.count, 60000);
  EXPECT_EQ(test.count, 10000);
  EXPECT_TRUE(train.published);
  EXPECT_TRUE(test.published);
  // As the sets' own pages show them.
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(train.labels[i], GetParam().train_labels[i]);
    EXPECT_EQ(test.labels[i], GetParam().test_labels[i]);
  }
  EXPECT_EQ(open_folder(Split::test, test.place).name, GetParam().name);
  EXPECT_EQ(known_set_in(test.place), find_known_set(GetParam().name));
}

TEST_P(RealFiles, Fault10_AreKnownUnderWrongNames) {
  const std::string place = folder_of(GetParam().name) + "/" + GetParam().name;
  const TemporaryFolder folder;
  const auto link = [&](const std::string& name, const std::string& target) {
    std::filesystem::create_symlink(place + "/" + target + ".gz", folder / name + ".gz");
  };
  link(test::train_images, test::test_images);
  link(test::train_labels, test::test_labels);
  EXPECT_EQ(known_set_in(folder.path()), nullptr);
  expect_line(error_of<FormatError>([&] { open_folder(Split::train, folder.path()); }),
              {folder / test::train_images, test::test_images, "swapped"});
  const std::string other = GetParam().name == std::string("mnist") ? "fashion-mnist" : "mnist";
  std::filesystem::create_directory_symlink(place, folder / other);
  expect_line(error_of<FormatError>(
                  [&] { mnist(Split::test, {.name = other, .data_dir = folder.path()}); }),
              {folder / other, "belongs to " + std::string(GetParam().name)});
}

INSTANTIATE_TEST_SUITE_P(Sets, RealFiles,
                         testing::Values(Real{"mnist", {5, 0, 4, 1, 9}, {7, 2, 1, 0, 4}},
                                         Real{"fashion-mnist", {9, 0, 0, 3, 0}, {9, 2, 1, 1, 6}}),
                         [](const auto& parameter) {
                           return std::string(*parameter.param.name == 'm' ? "Mnist" : "Fashion");
                         });

}  // namespace
}  // namespace unroll::data
