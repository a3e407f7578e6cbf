// What the program of version 0.1.0 wrote is read by this one, and gives the same numbers.
// tests/slow/made_by_0.1.0/README.md says how it was made.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "data/sha256.h"
#include "support/small_run.h"

namespace unroll {
namespace {

const std::string kMade = UNROLL_SOURCE_DIR "/tests/slow/made_by_0.1.0";

std::string expected(const std::string& name) {
  return test::content_of(kMade + "/expected/" + name);
}

std::string sha256_of(const std::string& path) {
  const std::string content = test::content_of(path);
  return data::sha256(std::as_bytes(std::span(content))) + "\n";
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
  for (const char* name : {"config.json", "metrics.jsonl", "model.safetensors"})
    EXPECT_EQ(sha256_of(again + "/" + name), sha256_of(kMade + "/" + GetParam() + "/" + name))
        << name << " " << result.err;
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
  for (const char* name : {"config.json", "metrics.jsonl"})
    EXPECT_EQ(sha256_of(again + "/" + name), sha256_of(kMade + "/" + GetParam() + "/" + name))
        << name << " " << result.err;
}

INSTANTIATE_TEST_SUITE_P(Tasks, TaskRuns010, testing::Values("adding", "copy"));

struct InterruptedRuns010 : MadeBy010 {};

TEST_P(InterruptedRuns010, GoesOnToTheBitsOfARunThatNobodyStopped) {
  const std::string there = copy("interrupted-" + GetParam());
  const auto result = run({"train", "--resume", there});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(sha256_of(there + "/metrics.jsonl"),
            expected("interrupted-" + GetParam() + ".metrics.sha256"));
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
