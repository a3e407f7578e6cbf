// What the program of version 0.1.0 wrote is read by this one, and its models give the same
// numbers. tests/slow/made_by_0.1.0/README.md says how it was made.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/numerics.h"
#include "support/expect_parts.h"
#include "support/file_faults.h"
#include "support/small_run.h"

namespace unroll {
namespace {

const std::string kMade = UNROLL_SOURCE_DIR "/tests/slow/made_by_0.1.0";

std::string expected(const std::string& name) {
  return test::content_of(kMade + "/expected/" + name);
}

/// A new run has every setting that the old one has.
void expect_same_settings(const std::string& run, const std::string& made) {
  const auto settings_of = [](const std::string& folder) {
    return nlohmann::json::parse(test::content_of(folder + "/config.json")).at("settings");
  };
  const auto now = settings_of(run), then = settings_of(kMade + "/" + made);
  for (const auto& [key, value] : then.items()) EXPECT_EQ(now.at(key), value) << key;
}

/// What is said of a run that only the program that made it can repeat.
void expect_older_revision(const test::ProgramResult& result) {
  EXPECT_EQ(result.code, 1);
  test::expect_parts(
      result.out + result.err,
      {fmt::format("an older revision of the numerics (4) than this program has ({})",
                   numerics::revision),
       "use the program that made it", "or start a new run: unroll train --config "});
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

TEST_P(ImageRuns010, IsOfAnOlderRevision) {
  const auto result = run({"verify", copy(GetParam())});
  expect_older_revision(result);
  EXPECT_NE(result.out.find(" files are as they were written"), std::string::npos) << result.out;
}

TEST_P(ImageRuns010, ConfigTrainsANewRun) {
  const std::string again = machine.folder / "again";
  const auto result =
      run({"train", "--config", kMade + "/" + GetParam() + "/config.json", "--out", again});
  EXPECT_EQ(result.code, GetParam() == "diverged" ? 1 : 0) << result.err;
  test::expect_parts(result.err, {"config.json has numerics revision 4, this program "});
  expect_same_settings(again, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Kinds, ImageRuns010,
                         testing::Values("rnn", "lstm", "gru", "fnn", "cnn", "logistic", "linear",
                                         "permuted", "diverged"));

struct TaskRuns010 : MadeBy010 {};

TEST_P(TaskRuns010, EvaluatesToTheSameNumbers) {
  const auto result = test::run_program({"eval", kMade + "/" + GetParam(), "--json"});
  EXPECT_EQ(result.out, expected(GetParam() + ".eval.json")) << result.err;
}

TEST_P(TaskRuns010, IsOfAnOlderRevision) {
  expect_older_revision(test::run_program({"verify", copy(GetParam())}));
}

TEST_P(TaskRuns010, ConfigTrainsANewRun) {
  const std::string again = machine.folder / "again";
  const auto result = test::run_program(
      {"train", "--config", kMade + "/" + GetParam() + "/config.json", "--out", again});
  EXPECT_EQ(result.code, 0) << result.err;
  expect_same_settings(again, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Tasks, TaskRuns010, testing::Values("adding", "copy"));

struct InterruptedRuns010 : MadeBy010 {};

TEST_P(InterruptedRuns010, IsOfAnOlderRevision) {
  const std::string there = copy("interrupted-" + GetParam());
  const auto before = test::files_in(there);
  expect_older_revision(run({"train", "--resume", there}));
  EXPECT_EQ(test::files_in(there), before);
  EXPECT_EQ(run({"eval", there}).code, 0);
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
