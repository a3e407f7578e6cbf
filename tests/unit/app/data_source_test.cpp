#include "app/data_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "app/data_command.h"
#include "data/sha256.h"
#include "support/loopback_server.h"
#include "support/program.h"
#include "support/scoped_variable.h"
#include "unit/data/idx_files.h"
#include "unroll/core/error.h"
#include "unroll/data/mnist.h"

namespace unroll::app {
namespace {

using test::error_of;
using test::expect_line;
using test::LoopbackServer;
using test::Reply;
using test::ScopedVariable;
using test::TemporaryFolder;
using test::write_set;

// A machine with an empty cache.
struct Machine {
  TemporaryFolder home;
  ScopedVariable no_proxy{"no_proxy", "*"}, no_folder{"UNROLL_DATA_DIR", ""};
  ScopedVariable cache_variable{"XDG_CACHE_HOME", home.path()};
  LoopbackServer nothing{{}};
  LoadOptions options{.fashion_folder = home / "nowhere", .mirrors = {nothing.url()}};
};

struct DataSource : testing::Test, Machine {};

std::string sha256_of(const std::string& text) {
  return data::sha256(std::as_bytes(std::span(text)));
}

// A set of a test's own that a server can offer, called as one that is known.
struct Offered {
  data::KnownSet set{"mnist", "MNIST", "A set", "none", "nobody", {}, 20, 20, 28, 28, 10, {}};
  std::map<std::string, Reply> replies;

  /// `content_known`: whether the hashes of the uncompressed files are published, too.
  explicit Offered(bool content_known = true) {
    std::size_t at = 0;
    for (const data::Split split : {data::Split::train, data::Split::test})
      for (const data::Part part : {data::Part::images, data::Part::labels}) {
        const std::string name = data::file_name(split, part);
        const std::string content =
            part == data::Part::images ? test::idx_images(20) : test::idx_labels(20);
        const std::string gz = test::gzipped(content);
        set.files[at++] = {split,     part,          name,
                           gz.size(), sha256_of(gz), content_known ? sha256_of(content) : ""};
        replies["/" + name + ".gz"] = Reply{.body = gz};
      }
  }
};

TEST(Fault23, NoNetworkWhereTheCacheHoldsTheSet) {
  const Machine machine;
  write_set(machine.home, "unroll/mnist");
  const data::ImageSets sets = load_sets("mnist", machine.options);
  EXPECT_EQ(sets.train.place, machine.home / "unroll/mnist");
  EXPECT_EQ(sets.train.count, 30);
  EXPECT_EQ(sets.test.count, 10);
  EXPECT_EQ(machine.nothing.hits(), 0);
}

TEST_F(DataSource, FetchesWhatIsMissingOrDamagedOnly) {
  const Offered offered;
  LoopbackServer server(offered.replies);
  fetch_set(offered.set, home / "set", {nothing.url(), server.url()}, {});
  EXPECT_EQ(server.hits(), 4);
  EXPECT_EQ(data::open_folder(data::Split::train, home / "set").count, 20);
  home.write("set/train-labels-idx1-ubyte.gz", "damaged");
  std::filesystem::remove(home / "set/t10k-images-idx3-ubyte.gz");
  // The same content is as good as the same file.
  home.write("set/train-images-idx3-ubyte.gz", test::idx_images(20));
  fetch_set(offered.set, home / "set", {server.url()}, {});
  EXPECT_EQ(server.hits(), 6);
  fetch_set(offered.set, home / "set", {server.url()}, {});
  EXPECT_EQ(server.hits(), 6);
  EXPECT_EQ(data::open_folder(data::Split::test, home / "set").count, 20);
}

// As of KMNIST: then only the .gz as published is the file, and the same content another one.
TEST_F(DataSource, FetchesASetOfWhichOnlyTheCompressedHashIsKnown) {
  const Offered offered(false);
  LoopbackServer server(offered.replies);
  fetch_set(offered.set, home / "set", {server.url()}, {});
  fetch_set(offered.set, home / "set", {server.url()}, {});
  EXPECT_EQ(server.hits(), 4);
  home.write("set/train-images-idx3-ubyte.gz", test::gzipped(test::idx_images(20), 1));
  fetch_set(offered.set, home / "set", {server.url()}, {});
  EXPECT_EQ(server.hits(), 5);
}

TEST(Catalogue, KmnistIsAsItsPageSays) {
  const data::KnownSet& set = data::known_set("kmnist");
  EXPECT_EQ(set.mirrors, std::vector<std::string>{"http://codh.rois.ac.jp/kmnist/dataset/kmnist/"});
  EXPECT_EQ(set.licence, "CC BY-SA 4.0");
  EXPECT_NE(set.credit.find("doi:10.20676/00000341"), std::string::npos);
  std::uint64_t bytes = 0;
  for (const data::KnownFile& file : set.files) {
    bytes += file.size;
    EXPECT_EQ(file.sha256.size(), 64u);
  }
  EXPECT_EQ(bytes, 18165135u + 29497 + 3041136 + 5120);
}

TEST_F(DataSource, DownloadsOnlyWhereItMay) {
  options.allow_download = false;
  expect_line(error_of<FileError>([&] { load_sets("mnist", options); }),
              {"unroll data fetch mnist"});
  options.allow_download = true;
  options.data_dir = home / "given";
  expect_line(error_of<FileError>([&] { load_sets("mnist", options); }),
              {home / "given", "unroll data fetch mnist"});
  EXPECT_EQ(nothing.hits(), 0);
  options.data_dir.clear();
  expect_line(error_of<Unreachable>([&] { load_sets("mnist", options); }),
              {nothing.url(), "HTTP 404", home / "unroll/mnist"});
  EXPECT_EQ(nothing.hits(), 1);
}

TEST_F(DataSource, AnInterruptedDownloadIsContinued) {
  write_set(home, "unroll/mnist");
  std::filesystem::remove(home / "unroll/mnist/t10k-labels-idx1-ubyte");
  expect_line(error_of<Unreachable>([&] { load_sets("mnist", options); }), {"t10k-labels"});
  EXPECT_EQ(nothing.hits(), 1);
}

TEST_F(DataSource, FashionTakesThePlaceOfMnistOnlyIfAskedAndSaysSo) {
  options.fashion_folder = write_set(home, "fashion-mnist");
  EXPECT_THROW(load_sets("mnist", options), Unreachable);
  options.allow_fashion_fallback = true;
  testing::internal::CaptureStderr();
  const data::ImageSets sets = load_sets("mnist", options);
  const std::string notice = testing::internal::GetCapturedStderr();
  EXPECT_EQ(sets.train.name, "fashion-mnist");
  EXPECT_EQ(sets.test.name, "fashion-mnist");
  EXPECT_NE(notice.find("NOT MNIST"), notice.npos) << notice;
  EXPECT_NE(notice.find(options.fashion_folder), notice.npos) << notice;
  write_set(home, "unroll/mnist");
  EXPECT_EQ(load_sets("mnist", options).train.name, "mnist");
}

TEST_F(DataSource, AFolderIsTakenAsItIs) {
  const std::string folder = write_set(home, "digits");
  EXPECT_EQ(load_sets(folder, options).test.name, "digits");
  home.write("digits/t10k-images-idx3-ubyte", test::idx_images(10, 27, 29));
  expect_line(error_of<ShapeError>([&] { load_sets(folder, options); }),
              {folder, "28x28", "27x29"});
  expect_line(error_of<ValueError>([&] { load_sets("minst", options); }),
              {"minst", "mnist, fashion-mnist"});
}

TEST_F(DataSource, InfoPrintsWhatTheSetHolds) {
  // Half of the pixels full: mean 0.5, standard deviation 0.5.
  home.write(
      "dots/train-images-idx3-ubyte",
      test::idx_header({2, 1, 2}) + "\xff" + std::string(1, '\0') + "\xff" + std::string(1, '\0'));
  home.write("dots/train-labels-idx1-ubyte", test::idx_header({2}) + "\x03\x03");
  home.write("dots/t10k-images-idx3-ubyte", test::idx_header({1, 1, 2}) + "ab");
  home.write("dots/t10k-labels-idx1-ubyte", test::idx_header({1}) + "\x09");
  testing::internal::CaptureStdout();
  EXPECT_EQ(data_info(home / "dots", ""), 0);
  const std::string text = testing::internal::GetCapturedStdout();
  for (const char* part : {"2x1x2", "1x1x2", "mean 0.5000, std 0.5000", "0 0 0 2 0 0 0 0 0 0",
                           "0 0 0 0 0 0 0 0 0 1", "none of the published sets"})
    EXPECT_NE(text.find(part), text.npos) << part << " in\n" << text;
  testing::internal::CaptureStdout();
  EXPECT_EQ(data_info(home / "dots", "", true), 0);
  const auto json = nlohmann::json::parse(testing::internal::GetCapturedStdout());
  EXPECT_EQ(json.at("event"), "data_info");
  EXPECT_EQ(json.at("name"), "dots");
  EXPECT_EQ(json.at("place"), home / "dots");
  EXPECT_EQ(json.at("pixels"), nlohmann::json({{"mean", 0.5}, {"std", 0.5}}));
  EXPECT_EQ(json.at("train").at("classes"), nlohmann::json({0, 0, 0, 2, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(json.at("test").at("images"), 1);
  EXPECT_EQ(json.at("test").at("images_sha256").get<std::string>().size(), 64u);
  EXPECT_EQ(json.at("published"), false);
  EXPECT_FALSE(json.contains("licence"));
}

TEST_F(DataSource, ListSaysWhatIsHere) {
  write_set(home, "unroll/mnist");
  write_set(home, "unroll/FashionMNIST/raw");
  std::filesystem::remove(home / "unroll/FashionMNIST/raw/t10k-labels-idx1-ubyte");
  const auto listed = [&](bool json) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(data_list("", json), 0);
    return testing::internal::GetCapturedStdout();
  };
  const std::vector<std::string> text = test::lines_of(listed(false));
  EXPECT_EQ(text[1], "mnist          60000 + 10000   28x28       10   11.6 MB  CC BY-SA 3.0  " +
                         home / "unroll/mnist");
  EXPECT_TRUE(text[2].ends_with(home / "unroll/FashionMNIST/raw" +
                                " (3 of 4 files; unroll data fetch fashion-mnist)"))
      << text[2];
  EXPECT_TRUE(text[3].ends_with("not here; unroll data fetch kmnist")) << text[3];
  std::map<std::string, nlohmann::json> sets;
  for (const std::string& line : test::lines_of(listed(true))) {
    const auto json = nlohmann::json::parse(line);
    sets[json.at("name")] = json;
  }
  EXPECT_EQ(sets.size(), 5u);
  EXPECT_EQ(sets.at("mnist").at("here"), true);
  EXPECT_EQ(sets.at("mnist").at("place"), home / "unroll/mnist");
  EXPECT_EQ(sets.at("mnist").at("download_bytes"), 9912422 + 28881 + 1648877 + 4542);
  EXPECT_EQ(sets.at("fashion-mnist").at("here"), false);
  EXPECT_EQ(sets.at("fashion-mnist").at("licence"), "MIT");
  EXPECT_EQ(sets.at("kmnist").at("place"), nullptr);
  EXPECT_EQ(sets.at("adding").at("event"), "task");
}

TEST_F(DataSource, ListKeepsTheFolderInTheCommandItSuggests) {
  write_set(home, "my data/mnist");
  std::filesystem::remove(home / "my data/mnist/t10k-labels-idx1-ubyte");
  testing::internal::CaptureStdout();
  EXPECT_EQ(data_list(home / "my data", false), 0);
  const auto text = test::lines_of(testing::internal::GetCapturedStdout());
  const std::string folder = " --data-dir '" + home / "my data" + "'";
  EXPECT_TRUE(text[1].ends_with("(3 of 4 files; unroll data fetch mnist" + folder + ")"))
      << text[1];
  EXPECT_TRUE(text[3].ends_with("not here; unroll data fetch kmnist" + folder)) << text[3];
}

TEST_F(DataSource, FetchTakesASetInTorchvisionsLayoutAsItIs) {
  const std::string folder = write_set(home, "data/MNIST/raw");
  testing::internal::CaptureStdout();
  EXPECT_EQ(data_fetch("mnist", home / "data", {.cancelled = [] { return true; }}), 0);
  expect_line(test::lines_of(testing::internal::GetCapturedStdout()).at(0), {"MNIST", folder});
  EXPECT_FALSE(std::filesystem::exists(home / "data/mnist"));
}

// A download into the cache would not be used: the incomplete set comes first.
TEST_F(DataSource, FetchSaysHowToCompleteASetThatComesBeforeTheCache) {
  const ScopedVariable data_variable("UNROLL_DATA_DIR", home / "data");
  const std::string folder = write_set(home, "data/mnist");
  std::filesystem::remove(folder + "/t10k-labels-idx1-ubyte");
  expect_line(
      error_of<FileError>([] { data_fetch("mnist", "", {.cancelled = [] { return true; }}); }),
      {folder, "3 of the 4 files", "--data-dir \"$UNROLL_DATA_DIR\""});
}

TEST(DataInfo, ATaskHasNothingToDescribe) {
  expect_line(error_of<ValueError>([] { data_info("adding", ""); }),
              {"adding is a task", "random numbers", "nothing to describe"});
}

// The tutorial's numbers, where the real files are at hand.
TEST(DataInfo, Mnist) {
  const std::string folder = UNROLL_SOURCE_DIR "/../shared/data";
  if (!std::filesystem::exists(folder + "/mnist")) GTEST_SKIP() << "mnist isn't here";
  testing::internal::CaptureStdout();
  EXPECT_EQ(data_info("mnist", folder), 0);
  const std::string text = testing::internal::GetCapturedStdout();
  for (const char* part :
       {"60000x28x28", "10000x28x28", "mean 0.1307, std 0.3081", "CC BY-SA 3.0",
        "content       as published", "5923 6742 5958 6131 5842 5421 5918 6265 5851 5949",
        "980 1135 1032 1010 982 892 958 1028 974 1009"})
    EXPECT_NE(text.find(part), text.npos) << part << " in\n" << text;
}

}  // namespace
}  // namespace unroll::app
