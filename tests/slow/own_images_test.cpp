// Images of one's own: folders with other sizes and numbers of classes than MNIST, through the
// program.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/expect_parts.h"
#include "support/program.h"
#include "support/small_set.h"
#include "unit/data/idx_files.h"

namespace unroll {
namespace {

using Json = nlohmann::json;
using Arguments = std::vector<std::string>;
using test::content_of;
using test::expect_parts;
using test::run_program;

/// Image i has class i mod `classes`, and pixels that depend on the class.
std::string images_of(unsigned count, unsigned rows, unsigned columns, unsigned classes) {
  std::string bytes = test::idx_header({count, rows, columns});
  for (unsigned i = 0; i < count; ++i)
    for (unsigned p = 0; p < rows * columns; ++p)
      bytes += static_cast<char>((i % classes * 97 + p * (i % classes + 3)) % 200 + i % 7);
  return bytes;
}

std::string labels_of(unsigned count, unsigned classes) {
  std::string bytes = test::idx_header({count});
  for (unsigned i = 0; i < count; ++i) bytes += static_cast<char>(i % classes);
  return bytes;
}

struct OwnImages : testing::Test {
  test::TemporaryFolder folder;

  std::string write(const std::string& name, unsigned rows, unsigned columns, unsigned classes) {
    const unsigned count = std::max(120U, classes);  // each class is there
    folder.write(name + "/train-images-idx3-ubyte", images_of(count, rows, columns, classes));
    folder.write(name + "/train-labels-idx1-ubyte", labels_of(count, classes));
    folder.write(name + "/t10k-images-idx3-ubyte", images_of(40, rows, columns, classes));
    folder.write(name + "/t10k-labels-idx1-ubyte", labels_of(40, classes));
    return folder / name;
  }

  test::ProgramResult train(const std::string& set, const std::string& out,
                            const Arguments& more = {}) const {
    Arguments arguments = {"train", set,        "--out", folder / out,   "--steps",
                           "12",    "--hidden", "6",     "--batch-size", "20"};
    // Logistic and linear models have no hidden units.
    if (!more.empty() && (more[1] == "logistic" || more[1] == "linear"))
      arguments.erase(arguments.begin() + 6, arguments.begin() + 8);
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments);
  }
  Json config(const std::string& run) const {
    return Json::parse(content_of(folder / (run + "/config.json")));
  }
  Json last_metrics(const std::string& run) const {
    return Json::parse(test::lines_of(content_of(folder / (run + "/metrics.jsonl"))).back());
  }
};

/// Every model trains, is tested and asked, and can be verified; or says why it can't.
TEST_F(OwnImages, OfAnySizeAndNumberOfClassesForEveryModel) {
  struct Set {
    const char* name;
    unsigned rows, columns, classes;
  };
  const Arguments models[] = {{"--model", "rnn"},
                              {"--model", "lstm"},
                              {"--model", "gru"},
                              {"--model", "fnn"},
                              {"--model", "cnn", "--layers", "1"},
                              {"--model", "logistic"},
                              {"--model", "linear"},
                              {"--model", "gru", "--pixels"},
                              {"--model", "rnn", "--permute", "3"}};
  for (const auto& [name, rows, columns, classes] : {Set{"tall", 12, 9, 10},
                                                     {"letters", 28, 28, 26},
                                                     {"two", 10, 10, 2},
                                                     {"wide", 3, 40, 256}}) {
    const std::string set = write(name, rows, columns, classes);
    int number = 0;
    for (const Arguments& model : models) {
      const std::string out = name + std::to_string(number++);
      SCOPED_TRACE(out);
      const auto trained = train(set, out, model);
      ASSERT_EQ(trained.code, 0) << trained.err;
      EXPECT_EQ(trained.out.find("MNIST"), std::string::npos) << trained.out;
      EXPECT_EQ(config(out).at("settings").at("augment"), "none");
      EXPECT_EQ(config(out).at("data").value("classes", 10), classes);
      const auto verified = run_program({"verify", folder / out});
      EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
      const auto eval = run_program({"eval", folder / out, set, "--json"});
      ASSERT_EQ(eval.code, 0) << eval.err;
      const Json tested = Json::parse(eval.out);
      EXPECT_EQ(tested.at("correct"), last_metrics(out).at("correct"));
      EXPECT_EQ(tested.at("classes").size(), classes);
      const auto asked = run_program({"predict", folder / out, set, "--index", "1", "--json"});
      ASSERT_EQ(asked.code, 0) << asked.err;
      EXPECT_EQ(Json::parse(asked.out).at("label"), 1);
      const Json shown = Json::parse(run_program({"inspect", folder / out, "--json"}).out);
      EXPECT_EQ(shown.at("outputs"), classes);
      EXPECT_EQ(shown.at("description").at("dataset"), name);
    }
  }
  const auto small = train(folder / "wide", "small", {"--model", "cnn"});
  EXPECT_EQ(small.code, 2);
  expect_parts(small.err, {"3x40", "--layers 1"});
}

TEST_F(OwnImages, TheScaleOfTheTrainingImagesIsStored) {
  const std::string set = write("own", 8, 8, 3);
  ASSERT_EQ(train(set, "run").code, 0);
  const Json info = Json::parse(run_program({"data", "info", set, "--json"}).out);
  const Json scale = {info.at("pixels").at("mean"), info.at("pixels").at("std")};
  EXPECT_EQ(config("run").at("settings").at("normalize"), scale);
  const Json input = Json::parse(run_program({"inspect", folder / "run", "--json"}).out)
                         .at("description")
                         .at("input");
  EXPECT_EQ(input.at("mean"), scale[0]);
  EXPECT_EQ(input.at("std"), scale[1]);
  // What is asked for counts; and a run is repeated with the values it had.
  ASSERT_EQ(train(set, "asked", {"--normalize", "0.5,0.25", "--augment", "shift1"}).code, 0);
  EXPECT_EQ(config("asked").at("settings").at("normalize"), Json({0.5, 0.25}));
  EXPECT_EQ(config("asked").at("settings").at("augment"), "shift1");
  ASSERT_EQ(
      run_program({"train", "--config", folder / "asked/config.json", "--out", folder / "again"})
          .code,
      0);
  for (const char* name : {"/config.json", "/model.safetensors", "/metrics.jsonl"})
    EXPECT_EQ(content_of(folder / "asked" + name), content_of(folder / "again" + name)) << name;
  // auto is also for a known set.
  const std::string data = folder / "data";
  std::filesystem::create_directory(data);
  std::filesystem::copy(test::write_small_set(folder, "small"), data + "/mnist");
  ASSERT_EQ(
      run_program({"train", "mnist", "--data-dir", data, "--steps", "2", "--out", folder / "known"})
          .code,
      0);
  EXPECT_EQ(config("known").at("settings").at("normalize"), Json({0.1307, 0.3081}));
  ASSERT_EQ(run_program({"train", "mnist", "--data-dir", data, "--steps", "2", "--normalize",
                         "auto", "--out", folder / "auto"})
                .code,
            0);
  EXPECT_NE(config("auto").at("settings").at("normalize"), Json({0.1307, 0.3081}));
}

/// Before folders could have other numbers of classes every run had ten, and config.json said
/// nothing about it.
TEST_F(OwnImages, RunsOfEarlierVersionsKeepTheirTenClasses) {
  const std::string set = write("two", 10, 10, 2);
  ASSERT_EQ(train(set, "run", {"--normalize", "0.1307,0.3081", "--augment", "shift1"}).code, 0);
  Json earlier = config("run");
  ASSERT_EQ(earlier.at("data").at("classes"), 2);
  earlier.at("data").erase("classes");
  folder.write("earlier.json", earlier.dump());
  const auto repeat = [&](const std::string& out, const Arguments& more = {}) {
    Arguments arguments = {"train", "--config", folder / "earlier.json", "--out", folder / out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments).code;
  };
  ASSERT_EQ(repeat("ten"), 0);
  EXPECT_FALSE(config("ten").at("data").contains("classes"));
  const Json shown = Json::parse(run_program({"inspect", folder / "ten", "--json"}).out);
  EXPECT_EQ(shown.at("outputs"), 10);
  EXPECT_EQ(run_program({"verify", folder / "ten"}).code, 0);
  const auto eval = run_program({"eval", folder / "ten", set, "--json"});
  ASSERT_EQ(eval.code, 0) << eval.err;
  EXPECT_EQ(Json::parse(eval.out).at("correct"), last_metrics("ten").at("correct"));
  // Of other data the labels decide again.
  ASSERT_EQ(repeat("anew", {write("other", 10, 10, 2)}), 0);
  EXPECT_EQ(config("anew").at("data").at("classes"), 2);
}

TEST_F(OwnImages, AModelRefusesMoreClassesThanItHas) {
  ASSERT_EQ(train(write("two", 10, 10, 2), "run").code, 0);
  const auto eval = run_program({"eval", folder / "run", write("three", 10, 10, 3)});
  EXPECT_EQ(eval.code, 1);
  expect_parts(eval.err, {"2 outputs", "three has 3 classes"});
}

}  // namespace
}  // namespace unroll
