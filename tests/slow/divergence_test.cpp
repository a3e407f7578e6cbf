// What a run that diverges leaves in its folder.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "run/manifest.h"
#include "support/expect_parts.h"
#include "support/file_faults.h"
#include "support/patterns.h"
#include "support/real_mnist.h"
#include "support/small_run.h"

namespace unroll {
namespace {

using Json = nlohmann::json;
using test::SmallRun;
using Texts = std::vector<std::string>;

using test::expect_parts;

/// The last line of the metrics.
Json diverged_line(const SmallRun& runs, const std::string& out) {
  return Json::parse(test::lines_of(runs.metrics(out)).back());
}

/// A rate three times the chapter's, which is too much after some dozens of good steps.
const Texts exploding = {"--recipe", "tutorial", "--lr",    "0.3",
                         "--hidden", "20",       "--steps", "1000"};

struct DivergingSetting {
  const char* name;
  Texts flags;
};

const DivergingSetting diverging[] = {
    {"Sgd", {}},
    {"Momentum", {"--momentum", "0.5", "--seed", "4"}},
    {"Tbptt", {"--tbptt", "14", "--eval-every", "20", "--seed", "1"}},
    {"TorchNumbers", {"--rng", "torch", "--eval-every", "7"}},
};

class Exploding : public testing::TestWithParam<DivergingSetting> {};

TEST_P(Exploding, Trial01_KeepsEvaluatesAndNamesTheLastGoodStep) {
  const SmallRun runs;
  Texts flags = exploding;
  flags.insert(flags.end(), GetParam().flags.begin(), GetParam().flags.end());
  const auto result = runs.train("run", flags);
  ASSERT_EQ(result.code, 1) << result.out << result.err;
  const Json line = diverged_line(runs, "run");
  ASSERT_EQ(line.at("event"), "diverged");
  const int kept = line.at("kept").at("step"), failed = line.at("step");
  ASSERT_GT(kept, 0);
  ASSERT_LT(kept, failed);
  expect_parts(result.err, {fmt::format("stopped at step {}", failed),
                            fmt::format("the weights after step {}, the last good ones, are in {}",
                                        kept, runs.folder / "run/model.safetensors")});

  // A checkpoint of them, though no minute had passed.
  const std::string checkpoint = fmt::format("checkpoint_{}.safetensors", kept);
  EXPECT_EQ(test::files_in(runs.folder / "run"),
            (std::set<std::string>{checkpoint, "config.json", "manifest.json", "metrics.jsonl",
                                   "model.safetensors", "samples.safetensors"}));

  // The weights are those of a run that ends there.
  Texts shorter = flags;
  shorter.insert(shorter.end(), {"--save-at", std::to_string(kept)});
  ASSERT_EQ(runs.train("again", shorter).code, 1);
  EXPECT_EQ(runs.model("run"),
            test::content_of(runs.folder / fmt::format("again/step_{}.safetensors", kept)));

  // What is said of them is what eval says.
  const auto tested =
      test::run_program({"eval", runs.folder / "run", "--json", "--data-dir", runs.data_dir});
  ASSERT_EQ(tested.code, 0) << tested.err;
  const Json evaluation = Json::parse(tested.out);
  for (const char* key : {"accuracy", "correct", "total", "loss"})
    EXPECT_EQ(evaluation.at(key), line.at("kept").at(key)) << key;
  expect_parts(result.out, {fmt::format("Test accuracy after step {}: {:.2f} % ({} of 100 correct)",
                                        kept, evaluation.at("accuracy").get<double>(),
                                        evaluation.at("correct").get<int>())});

  const auto verified =
      test::run_program({"verify", runs.folder / "run", "--data-dir", runs.data_dir});
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  const auto resumed =
      test::run_program({"train", "--resume", runs.folder / "run", "--data-dir", runs.data_dir});
  EXPECT_EQ(resumed.code, 1);
  expect_parts(resumed.err,
               {"diverged", "would diverge again", fmt::format("after step {}", kept)});
}

INSTANTIATE_TEST_SUITE_P(Run, Exploding, testing::ValuesIn(diverging),
                         [](const auto& test) { return test.param.name; });

// Of those made by the clock, one before the good step stays.
TEST(Trial01, CheckpointsOfLaterStepsAreRemoved) {
  for (const auto& [every, left] : {std::pair("1", 1), {"20", 2}}) {
    const SmallRun runs;
    Texts flags = exploding;
    flags.insert(flags.end(), {"--checkpoint-every", every});
    ASSERT_EQ(runs.train("run", flags).code, 1);
    const int kept = diverged_line(runs, "run").at("kept").at("step");
    int checkpoints = 0;
    for (const std::string& name : test::files_in(runs.folder / "run"))
      if (name.starts_with("checkpoint_")) {
        ++checkpoints;
        EXPECT_LE(std::stoi(name.substr(11)), kept);
      }
    EXPECT_EQ(checkpoints, left);
    const auto manifest = run::Manifest::read(Folder("test", runs.folder / "run")).value();
    EXPECT_EQ(manifest.step, kept);
    EXPECT_TRUE(manifest.lists(fmt::format("checkpoint_{}.safetensors", kept)));
    const auto verified =
        test::run_program({"verify", runs.folder / "run", "--data-dir", runs.data_dir});
    EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
    expect_parts(
        verified.out,
        {fmt::format("checkpoints and files of single steps with the same bits: {}", left)});
  }
}

// Killed between the checkpoint of the good step and the end: it goes on from there, and ends as it
// would have.
TEST(Trial01, TheCheckpointOfTheGoodStepIsGoneOnFrom) {
  const SmallRun runs;
  ASSERT_EQ(runs.train("run", exploding).code, 1);
  ASSERT_EQ(runs.train("whole", exploding).code, 1);
  const std::string path = runs.folder / "run";
  {
    const Folder opened("test", path);
    auto manifest = run::Manifest::read(opened).value();
    manifest.status = run::RunStatus::training;
    manifest.files.erase("metrics.jsonl");
    manifest.files.erase("model.safetensors");
    manifest.write(opened);
  }
  std::filesystem::remove(path + "/model.safetensors");
  const auto resumed = test::run_program({"train", "--resume", path, "--data-dir", runs.data_dir});
  EXPECT_EQ(resumed.code, 1);
  expect_parts(resumed.err, {"going on with", "the last good ones"});
  EXPECT_EQ(runs.metrics("run"), runs.metrics("whole"));
  EXPECT_EQ(runs.model("run"), runs.model("whole"));
}

TEST(Trial01, AsJsonTheLineOfTheMetricsIsPrinted) {
  const SmallRun runs;
  Texts flags = exploding;
  flags.push_back("--json");
  const auto result = runs.train("run", flags);
  ASSERT_EQ(result.code, 1);
  Json printed, written = Json::parse(test::lines_of(runs.metrics("run")).back());
  for (const std::string& line : test::lines_of(result.out))
    if (Json event = Json::parse(line); event.at("event") == "diverged") printed = event;
  EXPECT_EQ(written.erase("inside"), 1u);
  EXPECT_EQ(printed, written);
  // The error's text is in both.
  EXPECT_NE(result.err.find(printed.at("reason").get<std::string>()), std::string::npos);
}

// Around the good step the chapter's network has 80 to 87 %; with the weights after the exploding
// update 9.80, and a loss of nan.
TEST(Trial01, ASeedOfTheChapterThatDiverges) {
  const auto data = test::real_mnist_folder();
  if (!data) GTEST_SKIP() << "no MNIST here";
  const test::TemporaryFolder folder;
  const auto result = test::run_program({"train", "mnist", "--recipe", "tutorial", "--seed", "1",
                                         "--data-dir", *data, "--out", folder / "run"});
  ASSERT_EQ(result.code, 1) << result.err;
  const auto found = test::search(result.out, R"(after step (\d+): (\d+\.\d+) %)");
  ASSERT_FALSE(found.empty()) << result.out;
  EXPECT_GE(std::stod(found[2]), 83.37);  // of step 2000
  const auto tested = test::run_program({"eval", folder / "run", "--data-dir", *data});
  expect_parts(tested.out, {"accuracy " + found[2] + " %"});
}

}  // namespace
}  // namespace unroll
