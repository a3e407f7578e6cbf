// Finished runs that get more steps. Their folders equal that of a run with all steps from the
// start.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "run/provenance.h"
#include "run/resume.h"
#include "run/training.h"
#include "run/verification.h"
#include "support/child_process.h"
#include "support/expect_error.h"
#include "support/expect_parts.h"
#include "support/file_faults.h"
#include "support/program.h"
#include "support/temporary_folder.h"
#include "support/three_parts.h"
#include "unroll/core/error.h"

namespace unroll::run {
namespace {

train::Config config_of_14() {
  train::Config c = test::three_parts_config();
  c.steps = 14;
  c.schedule = train::ScheduleKind::linear;
  c.save_at = {13, 20};
  return c;
}

/// The settings after 14 steps got 10 more.
train::Config longer_config(train::Config c) {
  c.steps = 24;
  c.restart_at = {14};
  return c;
}

/// Stops after a step; 0: never.
struct StopAfter : train::Listener {
  explicit StopAfter(std::int64_t step) : last(step) {}
  void step(const train::StepResult& result) override { now = result.step; }
  bool stop() override { return now == last; }
  std::int64_t last, now = 0;
};

End train_whole(const train::Config& config, const std::string& path, std::int64_t every) {
  train::Trainer trainer(config, test::three_parts());
  RunFolder folder(path, config, provenance_of(trainer.source()), "signs");
  return train_to_end(trainer, folder, {}, {.every = {.steps = every}});
}

/// Goes on with a run; with `more` steps if it is finished.
End continue_run(const std::string& path, std::int64_t more = 0, std::int64_t stop_at = 0) {
  ResumedRun run(path);
  if (more > 0) {
    run.check_can_be_extended();
    run.extend(run.config().steps, more);
  }
  train::Trainer trainer(run.config(), test::three_parts());
  if (run.checkpoint()) trainer.resume(*run.checkpoint());
  StopAfter listener(stop_at);
  return train_to_end(trainer, run.folder(), run.checkpoint(), {{.steps = 4}, {&listener}});
}

/// The findings that are not good.
std::vector<std::string> extension_faults(const std::string& path) {
  std::vector<std::string> faults;
  Verification run(path, [&](const Finding& f) {
    if (!f.good) faults.push_back(f.text);
  });
  train::Trainer trainer(run.config(), test::three_parts());
  run.train_again(trainer);
  EXPECT_EQ(run.finish(trainer), faults.empty());
  return faults;
}

/// The files that do not depend on the clock.
void expect_same_run(const std::string& run, const std::string& whole) {
  for (const char* name : {"/config.json", "/metrics.jsonl", "/model.safetensors",
                           "/samples.safetensors", "/step_13.safetensors", "/step_20.safetensors"})
    EXPECT_TRUE(test::content_of(run + name) == test::content_of(whole + name)) << name;
  EXPECT_EQ(extension_faults(run), std::vector<std::string>());
}

// With its last checkpoint after step 12, after step 7 or none.
TEST(Extension, HasTheFilesOfARunThatKnewItFromTheStart) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(train_whole(longer_config(config_of_14()), folder / "whole", 4).status,
            RunStatus::finished);
  for (const std::int64_t every : {4, 7, 100}) {
    SCOPED_TRACE(every);
    const std::string path = folder / ("run" + std::to_string(every));
    train_whole(config_of_14(), path, every);
    const End end = continue_run(path, 10);
    EXPECT_EQ(end.status, RunStatus::finished);
    expect_same_run(path, folder / "whole");
    EXPECT_TRUE(ResumedRun(path).is_finished());
  }
}

TEST(Extension, CanBeInterruptedAnywhere) {
  const test::TemporaryFolder folder;
  train_whole(longer_config(config_of_14()), folder / "whole", 4);
  for (const std::int64_t stop : {13, 14, 15, 22}) {
    SCOPED_TRACE(stop);
    const std::string path = folder / ("run" + std::to_string(stop));
    train_whole(config_of_14(), path, 4);
    EXPECT_EQ(continue_run(path, 10, stop).status, RunStatus::interrupted);
    EXPECT_EQ(extension_faults(path), std::vector<std::string>());
    EXPECT_EQ(continue_run(path).status, RunStatus::finished);
    expect_same_run(path, folder / "whole");
  }
}

TEST(Extension, OfAnExtendedRun) {
  const test::TemporaryFolder folder;
  train::Config c = longer_config(config_of_14());
  c.steps = 31;
  c.restart_at = {14, 24};
  train_whole(c, folder / "whole", 4);
  train_whole(config_of_14(), folder / "run", 4);
  continue_run(folder / "run", 10);
  continue_run(folder / "run", 7);
  expect_same_run(folder / "run", folder / "whole");
}

TEST(Extension, ARunThatStoppedEarlyIsRefusedAndLeftAsItIs) {
  const test::TemporaryFolder folder;
  train::Config c = config_of_14();
  c.steps = 100;
  c.patience = 2;
  train_whole(c, folder / "run", 4);
  const auto before = test::files_in(folder / "run");
  const std::string manifest = test::content_of(folder / "run/manifest.json");
  test::expect_parts(test::error_of<FormatError>([&] { continue_run(folder / "run", 10); }),
                     {"can't be extended: it stopped before step 100", "(--patience 2)",
                      "unroll train --config " + folder / "run/config.json", "--patience 0"});
  EXPECT_EQ(test::files_in(folder / "run"), before);
  EXPECT_EQ(test::content_of(folder / "run/manifest.json"), manifest);
  EXPECT_EQ(extension_faults(folder / "run"), std::vector<std::string>());
}

TEST(Extension, MoreStepsThanANumberCanCountAreRefused) {
  const test::TemporaryFolder folder;
  train_whole(config_of_14(), folder / "run", 4);
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(test::error_of<ValueError>([&] { continue_run(folder / "run", most); }),
            "[resume] --steps 9223372036854775807 after 14 steps, expected fewer");
}

TEST(Extension, ARefitIsRefused) {
  const test::TemporaryFolder folder;
  train::Config c = config_of_14();
  c.patience = 2;
  c.refit = true;
  c.save_at = {};
  train_whole(c, folder / "run", 4);
  test::expect_parts(test::error_of<FormatError>([&] { continue_run(folder / "run", 10); }),
                     {"can't be extended: --refit trained it again", "without --refit"});
}

/// Begins the extension in a child, with a fault on the way. Returns the number of calls.
std::string begin_with(const std::string& path, const test::FileFaults::Plan& plan) {
  return test::ChildProcess([&] {
           ResumedRun run(path);
           run.extend(14, 10);
           const test::FileFaults faults(plan);
           run.folder().begin(run.checkpoint());
           return std::to_string(faults.calls().size());
         })
      .wait();
}

// The run then has its old settings or the new ones, and ends with the bits of either.
TEST(Extension, Fault24_KilledWhileItBegins) {
  const test::TemporaryFolder folder;
  train_whole(config_of_14(), folder / "short", 4);
  train_whole(longer_config(config_of_14()), folder / "whole", 4);
  train_whole(config_of_14(), folder / "counted", 4);
  const int calls = std::stoi(begin_with(folder / "counted", {}));
  EXPECT_GT(calls, 15);
  int old = 0;
  for (int at = 0; at < calls; at += 2) {
    SCOPED_TRACE(at);
    const std::string path = folder / ("run" + std::to_string(at));
    train_whole(config_of_14(), path, 4);
    ASSERT_EQ(begin_with(path, {.at = static_cast<std::size_t>(at), .kill = true}), "signal 9");
    if (ResumedRun run(path); run.config().steps == 14) {
      ++old;
      if (run.is_finished()) continue;
    }
    EXPECT_EQ(continue_run(path).status, RunStatus::finished);
    const bool is_old = ResumedRun(path).config().steps == 14;
    EXPECT_EQ(test::content_of(path + "/model.safetensors"),
              test::content_of(folder / (is_old ? "short" : "whole") + "/model.safetensors"));
    EXPECT_EQ(extension_faults(path), std::vector<std::string>());
  }
  EXPECT_GT(old, 0);
}

}  // namespace
}  // namespace unroll::run
