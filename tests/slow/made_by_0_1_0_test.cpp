// What the program of version 0.1.0 wrote is read by this one, and gives the same numbers.
// tests/slow/made_by_0.1.0/README.md says how it was made.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "data/sha256.h"
#include "support/small_run.h"

namespace unroll {
namespace {

using OrderedJson = nlohmann::ordered_json;

const std::string kMade = UNROLL_SOURCE_DIR "/tests/slow/made_by_0.1.0";

std::string expected(const std::string& name) {
  return test::content_of(kMade + "/expected/" + name);
}

std::string sha256_of_text(const std::string& text) {
  return data::sha256(std::as_bytes(std::span(text))) + "\n";
}

std::string sha256_of(const std::string& path) { return sha256_of_text(test::content_of(path)); }

/// A number as version 0.1.0 wrote it: with 17 digits, also f32 losses.
std::string number_of_010(const OrderedJson& value, bool f32) {
  if (!value.is_number()) return value.dump();
  const double number = value.get<double>();
  return fmt::format("{:.17g}", f32 ? static_cast<float>(number) : number);
}

/// metrics.jsonl of a run as version 0.1.0 wrote it, which had neither epochs nor learning rates.
std::string metrics_of_010(const std::string& run) {
  const bool f32 =
      OrderedJson::parse(test::content_of(run + "/config.json")).at("settings").at("dtype") ==
      "f32";
  std::string all;
  for (const std::string& line : test::lines_of(test::content_of(run + "/metrics.jsonl"))) {
    const OrderedJson json = OrderedJson::parse(line);
    const auto text_of = [&](const OrderedJson& object, auto&& self) -> std::string {
      std::string text;
      for (const auto& [key, value] : object.items()) {
        if (key == "epoch" || key == "lr") continue;
        const bool of_step =
            key == "train_loss" || (key == "loss" && object.value("event", "eval") != "eval");
        text += fmt::format(
            "{}\"{}\":{}", text.empty() ? "" : ",", key,
            value.is_object() ? self(value, self) : number_of_010(value, f32 && of_step));
      }
      return "{" + text + "}";
    };
    all += text_of(json, text_of) + "\n";
  }
  return all;
}

/// A copy of such a run, on a machine with the data that it was made with.
struct MadeBy010 : testing::TestWithParam<std::string> {
  test::SmallRun machine;

  std::string copy(const std::string& name) const {
    const std::string to = machine.folder / name;
    std::filesystem::copy(kMade + "/" + name, to, std::filesystem::copy_options::recursive);
    return to;
  }
  test::ProgramResult run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data-dir", machine.data_dir});
    return test::run_program(arguments);
  }
};

struct ImageRuns010 : MadeBy010 {};

TEST_P(ImageRuns010, EvaluatesToTheSameNumbers) {
  const auto result = run({"eval", kMade + "/" + GetParam(), "--json"});
  EXPECT_EQ(result.out, expected(GetParam() + ".eval.json")) << result.err;
}

TEST_P(ImageRuns010, PredictsTheSameProbabilities) {
  const auto result =
      test::run_program({"predict", kMade + "/" + GetParam(),
                         machine.mnist + "/t10k-images-idx3-ubyte", "--index", "3", "--json"});
  EXPECT_EQ(result.out, expected(GetParam() + ".predict.json")) << result.err;
}

TEST_P(ImageRuns010, TrainsAgainToTheSameBits) {
  const auto result = run({"verify", copy(GetParam())});
  EXPECT_EQ(result.code, 0) << result.out << result.err;
  EXPECT_NE(result.out.find("model.safetensors has the same bits"), std::string::npos);
}

TEST_P(ImageRuns010, ConfigRepeatsTheRun) {
  const std::string again = machine.folder / "again";
  const auto result =
      run({"train", "--config", kMade + "/" + GetParam() + "/config.json", "--out", again});
  for (const char* name : {"config.json", "model.safetensors"})
    EXPECT_EQ(sha256_of(again + "/" + name), sha256_of(kMade + "/" + GetParam() + "/" + name))
        << name << " " << result.err;
  EXPECT_EQ(metrics_of_010(again), test::content_of(kMade + "/" + GetParam() + "/metrics.jsonl"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, ImageRuns010,
                         testing::Values("rnn", "lstm", "gru", "fnn", "cnn", "logistic", "linear",
                                         "permuted", "diverged"));

struct TaskRuns010 : MadeBy010 {};

TEST_P(TaskRuns010, EvaluatesToTheSameNumbers) {
  const auto result = test::run_program({"eval", kMade + "/" + GetParam(), "--json"});
  EXPECT_EQ(result.out, expected(GetParam() + ".eval.json")) << result.err;
}

TEST_P(TaskRuns010, TrainsAgainToTheSameBits) {
  const auto result = test::run_program({"verify", copy(GetParam())});
  EXPECT_EQ(result.code, 0) << result.out << result.err;
}

TEST_P(TaskRuns010, ConfigRepeatsTheRun) {
  const std::string again = machine.folder / "again";
  const auto result = test::run_program(
      {"train", "--config", kMade + "/" + GetParam() + "/config.json", "--out", again});
  EXPECT_EQ(sha256_of(again + "/config.json"), sha256_of(kMade + "/" + GetParam() + "/config.json"))
      << result.err;
  EXPECT_EQ(metrics_of_010(again), test::content_of(kMade + "/" + GetParam() + "/metrics.jsonl"));
}

INSTANTIATE_TEST_SUITE_P(Tasks, TaskRuns010, testing::Values("adding", "copy"));

struct InterruptedRuns010 : MadeBy010 {};

TEST_P(InterruptedRuns010, GoesOnToTheBitsOfARunThatNobodyStopped) {
  const std::string there = copy("interrupted-" + GetParam());
  const auto result = run({"train", "--resume", there});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(sha256_of_text(metrics_of_010(there)),
            expected("interrupted-" + GetParam() + ".metrics.sha256"));
  const auto verified = run({"verify", there});  // lines of both versions
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  // A task's model file has another description since: the metrics are enough, every loss in full.
  if (GetParam() == "mnist") {
    EXPECT_EQ(sha256_of(there + "/model.safetensors"), expected("interrupted-mnist.model.sha256"));
  }
}

INSTANTIATE_TEST_SUITE_P(Data, InterruptedRuns010, testing::Values("mnist", "adding"));

TEST(Imported010, GivesTheSameOutputs) {
  const test::TemporaryFolder folder;
  const auto result = test::run_program({"predict", kMade + "/imported.safetensors",
                                         kMade + "/gru_x.npy", "--out", folder / "y.npy"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(test::content_of(folder / "y.npy"), expected("imported.npy"));
}

}  // namespace
}  // namespace unroll
