// SIGINT, SIGTERM and SIGHUP, and streams that are closed.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "run/manifest.h"
#include "support/expect_parts.h"
#include "support/file_faults.h"
#include "support/small_run.h"

namespace unroll {
namespace {

using test::SmallRun;
using Texts = std::vector<std::string>;

using test::expect_parts;

run::Manifest manifest_of(const std::string& path) {
  return run::Manifest::read(Folder("test", path)).value();
}

struct Stop {
  int signal;
  int status;
  const char* name;
};

class StopSignal : public testing::TestWithParam<Stop> {};

INSTANTIATE_TEST_SUITE_P(Program, StopSignal,
                         testing::Values(Stop{SIGINT, 130, "SIGINT"}, Stop{SIGTERM, 143, "SIGTERM"},
                                         Stop{SIGHUP, 129, "SIGHUP"}),
                         [](const auto& test) { return test.param.name; });

TEST_P(StopSignal, Trial07_TrainingMakesACheckpointAndGoesOnToTheSameBits) {
  const SmallRun runs;
  const Texts flags = {"--steps",  "2000", "--eval-every", "5", "--dropout", "0.2",
                       "--layers", "2",    "--hidden",     "8"};
  ASSERT_EQ(runs.train("whole", flags).code, 0);
  test::Program program(runs.train_arguments("run", flags));
  program.wait_for_output("Iteration: 10,");
  program.send_signal(GetParam().signal);
  const auto result = program.finish();
  ASSERT_EQ(result.code, GetParam().status) << result.err;
  const auto manifest = manifest_of(runs.folder / "run");
  EXPECT_EQ(manifest.status, run::RunStatus::interrupted);
  EXPECT_TRUE(manifest.lists("checkpoint_" + std::to_string(manifest.step) + ".safetensors"));
  expect_parts(result.err, {std::string("interrupted by ") + GetParam().name + " after step " +
                                std::to_string(manifest.step),
                            "go on with: unroll train --resume " + runs.folder / "run"});
  const auto resumed =
      test::run_program({"train", "--resume", runs.folder / "run", "--data-dir", runs.data_dir});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(runs.model("run"), runs.model("whole"));
  EXPECT_EQ(runs.metrics("run"), runs.metrics("whole"));
}

// The terminal's window is closed: stderr can't be written to any more, and the signal comes
// perhaps later.
TEST(Trial07, ATerminalThatIsGoneCostsNoCheckpoint) {
  if (!test::has_terminals()) GTEST_SKIP() << "no terminals here";
  const SmallRun runs;
  test::Program program(
      runs.train_arguments("run", {"--steps", "100000000", "--eval-every", "500"}),
      {.stderr_is_terminal = true});
  program.wait_for_output("Iteration: 500,");
  program.hang_up();
  program.wait_for_output("Iteration: 1500,");
  program.send_signal(SIGHUP);
  EXPECT_EQ(program.finish().code, 129);
  EXPECT_EQ(manifest_of(runs.folder / "run").status, run::RunStatus::interrupted);
}

// The run's last step is far away.
TEST_P(StopSignal, Trial07_VerifyStops) {
  const SmallRun runs;
  test::Program training(
      runs.train_arguments("run", {"--steps", "100000000", "--eval-every", "5"}));
  training.wait_for_output("Iteration: 5,");
  training.send_signal(SIGINT);
  ASSERT_EQ(training.finish().code, 130);
  auto manifest = manifest_of(runs.folder / "run");
  manifest.step = 100000000;
  manifest.write(Folder("test", runs.folder / "run"));
  test::Program program({"verify", runs.folder / "run", "--data-dir", runs.data_dir, "--verbose"});
  program.wait_for_error("instruction set");
  program.send_signal(GetParam().signal);
  const auto result = program.finish();
  EXPECT_EQ(result.code, GetParam().status) << result.err;
  expect_parts(result.err, {"interrupted", "is as it was"});
}

// One step takes seconds. The second signal ends at once, with its own status.
TEST_P(StopSignal, Trial07_TheSecondEndsAtOnce) {
  const SmallRun runs;
  test::Program program(runs.train_arguments(
      "run", {"--hidden", "2048", "--batch-size", "300", "--steps", "2", "--threads", "1"}));
  program.wait_for_output("mnist test:");
  while (!std::filesystem::exists(runs.folder / "run/metrics.jsonl"))
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  // Of two that come at once nothing says which is the first.
  program.send_signal(GetParam().signal == SIGTERM ? SIGINT : SIGTERM);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  program.send_signal(GetParam().signal);
  const auto result = program.finish();
  EXPECT_EQ(result.code, GetParam().status);
  EXPECT_EQ(result.err.find("interrupted"), std::string::npos) << result.err;
  EXPECT_FALSE(test::files_in(runs.folder / "run").contains("model.safetensors"));
}

// What the parent ignores stays ignored: with nohup SIGHUP, and for what a shell without job
// control starts with & SIGINT. Another signal stops it all the same.
TEST(Trial21, ASignalThatTheParentIgnoresStaysIgnored) {
  struct Case {
    const char* script;
    int ignored;
  };
  for (const Case& c : {Case{R"(trap '' INT; exec "$0" "$@")", SIGINT},
                        Case{R"(trap '' HUP; exec "$0" "$@")", SIGHUP},
                        Case{R"(trap '' TERM; exec "$0" "$@")", SIGTERM}}) {
    SCOPED_TRACE(c.script);
    const SmallRun runs;
    test::Program program(
        runs.train_arguments("run", {"--steps", "100000000", "--eval-every", "5"}),
        {.script = c.script});
    program.wait_for_output("Iteration: 5,");
    for (int i = 0; i < 2; ++i) program.send_signal(c.ignored);
    const auto so_far = test::lines_of(test::content_of(program.folder() / "stdout")).size();
    program.wait_for_output("Iteration: " + std::to_string(5 * (so_far + 20)) + ",");
    program.send_signal(c.ignored == SIGTERM ? SIGINT : SIGTERM);
    EXPECT_EQ(program.finish().code, c.ignored == SIGTERM ? 130 : 143);
  }
}

TEST(Trial21, NohupAndAJobOfAScriptWithoutJobControl) {
  const SmallRun runs;
  const auto nohup = test::run_program(
      runs.train_arguments("nohup", {"--steps", "400", "--eval-every", "1"}),
      {.script = R"(nohup "$0" "$@" & while ! grep -q Iteration ../stdout; do sleep 0.01; done
                    kill -HUP $!; wait $!; echo "status $?")"});
  expect_parts(nohup.out, {"Test accuracy", "status 0"});
  const auto job = test::run_program(
      runs.train_arguments("job", {"--steps", "400", "--eval-every", "1"}),
      {.script = R"("$0" "$@" & while ! grep -q Iteration ../stdout; do sleep 0.01; done
                    kill -INT $!; wait $!; echo "status $?")"});
  expect_parts(job.out, {"Test accuracy", "status 0"});
}

TEST(Trial07, HelpNamesTheStatuses) {
  const auto help = test::run_program({"--help"});
  expect_parts(help.out,
               {"129, 130, 143", "SIGHUP, SIGINT (Ctrl-C) or SIGTERM", "141", "Nobody reads"});
}

// Results that nobody gets are no success. SIGPIPE may be ignored, as by Python's subprocesses.
TEST(Trial14, ACommandWithResultsAndAClosedStdout) {
  const SmallRun runs;
  ASSERT_EQ(runs.train("run", {"--steps", "2"}).code, 0);
  const std::string run = runs.folder / "run";
  const Texts commands[] = {
      {"--help"},
      {"--version"},
      {"eval", "--help"},
      {"inspect", run},
      {"data", "info", "mnist", "--data-dir", runs.data_dir},
      {"eval", run, "--data-dir", runs.data_dir},
      {"eval", run, "--data-dir", runs.data_dir, "--json"},
      {"predict", run, runs.mnist + "/t10k-images-idx3-ubyte"},
      {"verify", run, "--data-dir", runs.data_dir},
      {"bench", "--list"},
      {"completion", "bash"},
      {"manual"},
  };
  for (const Texts& command : commands)
    for (const char* ignored : {"", "trap '' PIPE; "}) {
      SCOPED_TRACE(testing::PrintToString(command) + ignored);
      const auto result = test::run_program(
          command, {.script = std::string(ignored) + R"(("$0" "$@" >&-); echo $?)"});
      EXPECT_EQ(result.out, "141\n");
      EXPECT_EQ(result.err.find("unroll:"), std::string::npos) << result.err;
    }
}

// An error is an error, and stdin and stderr may be closed too.
TEST(Trial14, OtherStatusesStayAsTheyAre) {
  const SmallRun runs;
  const auto status = [&](const Texts& arguments, const std::string& closed) {
    return test::run_program(arguments, {.script = R"(("$0" "$@" )" + closed + "); echo $?"}).out;
  };
  EXPECT_EQ(status({"nonsense"}, ">&-"), "2\n");
  EXPECT_EQ(status({"inspect", "nothing"}, ">&-"), "1\n");
  EXPECT_EQ(status({"--version"}, "<&- 2>&-").substr(0, 6), "unroll");
  EXPECT_EQ(status({"--version"}, "<&- >&- 2>&-"), "141\n");
}

// All that training prints also stands in the run's folder: it goes on to its end, and succeeds.
TEST(Trial14, TrainingWithAClosedStdoutFillsItsFolder) {
  const SmallRun runs;
  const Texts flags = {"--steps", "6", "--eval-every", "2"};
  ASSERT_EQ(runs.train("usual", flags).code, 0);
  for (const Texts& more : {Texts{}, Texts{"--json"}, Texts{"--quiet"}}) {
    const std::string out = "closed" + std::to_string(more.empty() ? 0 : more[0].size());
    Texts arguments = runs.train_arguments(out, flags);
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto result = test::run_program(arguments, {.script = R"(("$0" "$@" >&-); echo $?)"});
    EXPECT_EQ(result.out, "0\n") << result.err;
    EXPECT_EQ(runs.model(out), runs.model("usual"));
    EXPECT_EQ(runs.metrics(out), runs.metrics("usual"));
  }
}

}  // namespace
}  // namespace unroll
