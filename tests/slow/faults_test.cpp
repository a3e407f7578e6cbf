// The rows of the list of faults that need whole runs of the program.
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/expect_parts.h"
#include "support/golden_compare.h"
#include "support/small_run.h"
#include "unroll/infer/model.h"

namespace unroll {
namespace {

using test::SmallRun;

using test::expect_parts;

void expect_finite_model(const SmallRun& runs, const std::string& out) {
  const std::string path = runs.folder / (out + "/model.safetensors");
  EXPECT_EQ(infer::Model<float>::load(path).inputs(), 28u);
  const auto file = io::Safetensors::read(path);
  for (const io::ArrayView& array : file.arrays())
    for (const double value : test::values_of(array))
      ASSERT_TRUE(std::isfinite(value)) << array.name;
}

/// The last line of metrics.jsonl says where and how training stopped.
void expect_diverged_at(const SmallRun& runs, const std::string& out, int step) {
  const auto lines = test::lines_of(runs.metrics(out));
  ASSERT_FALSE(lines.empty());
  const auto event = nlohmann::json::parse(lines.back());
  EXPECT_EQ(event.at("event"), "diverged");
  EXPECT_EQ(event.at("step"), step);
  EXPECT_EQ(lines.size(), static_cast<std::size_t>(step));  // those before it, and itself
}

TEST(Fault37, ARateAtWhichTheLossStopsBeingFinite) {
  const SmallRun runs;
  const auto result = runs.train("run", {"--recipe", "tutorial", "--lr", "1e30"});
  EXPECT_EQ(result.code, 1);
  expect_parts(result.err, {"step 2", "loss nan", "gradient norm nan", "explode", "--clip-norm 1",
                            "smaller --lr", runs.folder / "run/model.safetensors"});
  expect_finite_model(runs, "run");
  expect_diverged_at(runs, "run", 2);
  // Those of the beginning, which a tiny rate leaves as they are: the first update ruined them.
  expect_parts(result.err, {"before the first step"});
  ASSERT_EQ(runs.train("still", {"--recipe", "tutorial", "--lr", "1e-30", "--steps", "1"}).code, 0);
  EXPECT_EQ(runs.model("run"), runs.model("still"));
}

// The gradient is still finite, what the update makes of it is not.
TEST(Fault37, ARateAtWhichTheUpdateOverflows) {
  const SmallRun runs;
  const std::vector<std::string> setting = {"--recipe", "tutorial", "--momentum",  "0.9",
                                            "--lr",     "3e38",     "--normalize", "0,0.01"};
  const auto result = runs.train("run", setting);
  EXPECT_EQ(result.code, 1);
  expect_parts(result.err, {"step 1", "--clip-norm 1", "smaller --lr"});
  expect_finite_model(runs, "run");
  expect_diverged_at(runs, "run", 1);
}

TEST(Fault37, ClippingDoesNotSaveAnAbsurdRate) {
  const SmallRun runs;
  const auto result =
      runs.train("run", {"--recipe", "tutorial", "--lr", "1e30", "--clip-norm", "1"});
  EXPECT_EQ(result.code, 1);
  expect_parts(result.err, {"Remedy: a smaller --lr"});
  // A flag that is already on is no remedy, neither here nor when the run is resumed.
  const auto resumed = test::run_program({"train", "--resume", runs.folder / "run"});
  expect_parts(resumed.err, {"Start a new run with a smaller --lr"});
  for (const std::string& text : {result.err, resumed.err})
    EXPECT_EQ(text.find("--clip-norm"), std::string::npos) << text;
  expect_finite_model(runs, "run");
}

// At the chapter's own rate the remedy is clipping alone.
TEST(Fault37, AGradientThatExplodesAtTheChaptersRate) {
  const SmallRun runs;
  const auto result =
      runs.train("run", {"--recipe", "tutorial", "--normalize", "0,0.00001", "--steps", "500"});
  EXPECT_EQ(result.code, 1);
  expect_parts(result.err, {"stopped at step", "--clip-norm 1"});
  EXPECT_EQ(result.err.find("smaller --lr"), std::string::npos) << result.err;
  expect_finite_model(runs, "run");
}

TEST(Fault39, InterruptedOnceAModelIsLeft) {
  const SmallRun runs;
  test::Program program(runs.train_arguments("run", {"--steps", "100000000", "--eval-every", "5"}));
  program.wait_for_output("Iteration: 5,");
  program.send_signal(SIGINT);
  const auto result = program.finish();
  EXPECT_EQ(result.code, 130);
  expect_parts(result.err, {"interrupted", runs.folder / "run/model.safetensors"});
  expect_finite_model(runs, "run");
  // Every line of the log is whole, and the weights are those after the step it ends with.
  const auto lines = test::lines_of(runs.metrics("run"));
  const auto last = nlohmann::json::parse(lines.back());
  for (const std::string& line : lines) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
  expect_parts(result.err, {"after step " + std::to_string(last.at("step").get<int>())});
}

TEST(Fault41, StdoutThatNobodyReads) {
  const SmallRun runs;
  const auto head =
      test::run_program(runs.train_arguments("head", {"--steps", "30", "--eval-every", "1"}),
                        {.script = R"("$0" "$@" | head -n 1)"});
  EXPECT_EQ(head.code, 0);
  EXPECT_EQ(test::lines_of(head.out).size(), 1u) << head.out;

  // Closed: nothing may be written to a file that was opened in its place.
  const auto closed =
      test::run_program(runs.train_arguments("closed", {"--steps", "6", "--eval-every", "1"}),
                        {.script = R"("$0" "$@" >&- 2>&-)"});
  ASSERT_EQ(closed.code, 0);
  for (const std::string& line : test::lines_of(runs.metrics("closed")))
    EXPECT_TRUE(nlohmann::json::accept(line)) << line;
}

// Every command that prints more than a line, into a pipe whose reader takes one and leaves; killed
// by the signal, or, where the parent process has that ignored, ended as if.
TEST(Fault41, AReaderWhoLeavesEndsEveryCommandQuietly) {
  const SmallRun runs;
  ASSERT_EQ(runs.train("run", {"--steps", "2"}).code, 0);
  const std::string run = runs.folder / "run";
  const std::vector<std::string> commands[] = {
      {"--help"},
      {"inspect", run},
      {"data", "info", "mnist", "--data-dir", runs.data_dir},
      {"eval", run, "--data-dir", runs.data_dir},
      {"predict", run, runs.mnist + "/t10k-images-idx3-ubyte"},
      {"train", "mnist", "--data-dir", runs.data_dir, "--steps", "30", "--eval-every", "1"},
  };
  for (const auto& command : commands)
    for (const char* ignored : {"", "trap '' PIPE; "}) {
      SCOPED_TRACE(testing::PrintToString(command) + ignored);
      // The reader is gone before anything is written.
      const auto result = test::run_program(
          command, {.script = std::string(ignored) +
                              R"({ sleep 0.2; "$0" "$@"; echo $? >status; } | true; cat status)"});
      EXPECT_EQ(result.out, "141\n");
      EXPECT_EQ(result.err.find("unroll:"), std::string::npos) << result.err;
    }
}

}  // namespace
}  // namespace unroll
