// Runs of each task of series: the proof that the test part has no influence, and verify.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "support/expect_parts.h"
#include "support/program.h"
#include "support/temporary_folder.h"

namespace unroll {
namespace {

using Json = nlohmann::json;
using Texts = std::vector<std::string>;

const std::string kData = UNROLL_SOURCE_DIR "/examples/data/";

struct Task {
  const char* name;
  Texts flags;
  const char* samples;  // of the test part
};
void PrintTo(const Task& task, std::ostream* out) { *out << task.name; }

const Task tasks[] = {
    {"Classify",
     {kData + "pumps.csv", "--task", "classify", "--target", "state", "--series", "cycle", "--time",
      "second", "--group", "pump", "--patience", "2", "--refit"},
     "18"},
    {"Regress",
     {kData + "batteries.csv", "--task", "regress", "--target", "capacity", "--series", "run",
      "--time", "minute"},
     "16"},
    {"Label",
     {kData + "commands.tsv", "--task", "label", "--words", "word", "--target", "kind"},
     "30"},
};

class TaskOfSeries : public testing::TestWithParam<Task> {
 protected:
  /// Trains for a moment, and returns the folder.
  std::string train(const std::string& name, const char* threads, const char* isa = nullptr) {
    const std::string run = folder_ / name;
    Texts words = {"train"};
    words.insert(words.end(), GetParam().flags.begin(), GetParam().flags.end());
    words.insert(words.end(), {"--steps", "30", "--eval-every", "5", "--hidden", "8", "--threads",
                               threads, "--out", run});
    test::ProgramOptions options;
    if (isa) options.environment["UNROLL_ISA"] = isa;
    const auto trained = test::run_program(words, options);
    EXPECT_EQ(trained.code, 0) << trained.err;
    return run;
  }

 private:
  const test::TemporaryFolder folder_;
};

TEST_P(TaskOfSeries, HasTheSameFilesWithAnyThreadsAndInstructionSet) {
  const std::string one = train("one", "1");
  for (const std::string& other : {train("three", "3"), train("scalar", "2", "scalar")})
    for (const char* file : {"/model.safetensors", "/metrics.jsonl", "/predictions.csv"})
      EXPECT_EQ(test::content_of(other + file), test::content_of(one + file)) << other << file;
}

TEST_P(TaskOfSeries, IsVerifiedAndItsTestPartHadNoInfluence) {
  const std::string run = train("run", "0");
  const auto verified = test::run_program({"verify", run});
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  test::expect_parts(verified.out, {"metrics.jsonl has the same losses and accuracies",
                                    "model.safetensors has the same bits"});

  const auto proof = test::run_program({"verify", run, "--without-test"});
  EXPECT_EQ(proof.code, 0) << proof.out << proof.err;
  const Json manifest = Json::parse(test::content_of(run + "/manifest.json"));
  const std::string sha256 = manifest["files"]["model.safetensors"][0]["sha256"];
  test::expect_parts(
      proof.out, {std::string("the test part had no influence: with ") + GetParam().samples +
                  " test samples of random numbers the weights are the same, SHA-256 " + sha256});
}

INSTANTIATE_TEST_SUITE_P(Runs, TaskOfSeries, testing::ValuesIn(tasks),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace unroll
