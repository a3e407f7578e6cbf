// What `unroll train --resume` says of a run that ended, of other flags, and of folders that are
// no run's.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <span>

#include "run/manifest.h"
#include "support/expect_parts.h"
#include "support/file_faults.h"
#include "support/small_run.h"

namespace unroll {
namespace {

using Texts = std::vector<std::string>;

using test::expect_parts;

struct Finished : test::SmallRun {
  Finished() { EXPECT_EQ(train("run", {"--steps", "5"}).code, 0); }

  test::ProgramResult resume(Texts more = {}) const {
    more.insert(more.begin(), "train");
    more.insert(more.end(), {"--resume", folder / "run"});
    return test::run_program(more);
  }
};

TEST(Fault36, AFinishedRunHasNoOtherSettings) {
  const Finished run;
  EXPECT_EQ(run.resume().code, 0);
  EXPECT_EQ(run.resume({"mnist", "--eval-every", "500", "--threads", "2"}).code, 0);
  for (const Texts& more : {Texts(), {"--steps", "400"}}) {
    Texts flags = {"--seed", "5", "--eval-every", "7", "--lr", "1e30"};
    flags.insert(flags.end(), more.begin(), more.end());
    const auto other = run.resume(flags);
    EXPECT_EQ(other.code, 2);
    expect_parts(other.err,
                 {"seed is 0 there, 5 here", "eval_every is 500 there, 7 here", "lr is "});
    EXPECT_EQ(other.err.find("steps is"), std::string::npos) << other.err;
  }
  const auto config = run.resume({"--config", run.folder / "run/config.json"});
  EXPECT_EQ(config.code, 2);
  expect_parts(config.err, {"leave --config out"});
}

TEST(Fault36, AnotherKnownSetIsRefusedBeforeItIsLookedFor) {
  const Finished run;
  const auto finished = run.resume({"fashion-mnist"});
  EXPECT_EQ(finished.code, 2);
  expect_parts(finished.err, {"dataset is \"mnist\" there, \"fashion-mnist\" here"});

  test::Program program(run.train_arguments(
      "killed", {"--eval-every", "5", "--steps", "100000", "--checkpoint-every", "10"}));
  program.wait_for_output("Iteration: 30,");
  program.send_signal(SIGKILL);
  EXPECT_EQ(program.finish().code, 128 + SIGKILL);
  const auto killed =
      test::run_program({"train", "fashion-mnist", "--resume", run.folder / "killed"});
  EXPECT_EQ(killed.code, 2);
  expect_parts(killed.err, {"dataset is \"mnist\" there, \"fashion-mnist\" here"});
}

TEST(Fault36, AFinishedRunAndDataInAFolder) {
  const Finished run;
  EXPECT_EQ(run.resume({run.mnist}).code, 0);  // the same data in another place
  std::string labels = test::content_of(run.mnist + "/train-labels-idx1-ubyte");
  labels.back() = 0;
  run.folder.write("data/mnist/train-labels-idx1-ubyte", labels);
  const auto other = run.resume({run.mnist});
  EXPECT_EQ(other.code, 1);
  expect_parts(other.err, {"the training data differs"});
}

TEST(Fault27, AFinishedRunWithADamagedFileIsNotFinished) {
  const Finished run;
  for (const char* name : {"model.safetensors", "metrics.jsonl", "config.json"}) {
    const std::string path = "run/" + std::string(name);
    const std::string whole = test::content_of(run.folder / path);
    std::string damaged = whole;
    damaged[damaged.size() - 3] ^= 1;
    run.folder.write(path, damaged);
    const auto result = run.resume();
    EXPECT_EQ(result.code, 1) << name;
    expect_parts(result.err, {name, "SHA-256", "restore"});
    EXPECT_EQ(result.err.find("is finished"), std::string::npos) << result.err;
    std::filesystem::remove(run.folder / path);
    const auto deleted = run.resume();
    EXPECT_EQ(deleted.code, 1) << name;
    expect_parts(deleted.err, {name});
    EXPECT_EQ(deleted.err.find("is finished"), std::string::npos) << deleted.err;
    run.folder.write(path, whole);
  }
  EXPECT_EQ(run.resume().code, 0);
}

TEST(Resume, ARunOfAnotherRevisionIsSaidToBeOne) {
  const test::SmallRun machine;
  const std::string run = machine.folder / "run";
  test::Program program(machine.train_arguments("run", {"--eval-every", "5", "--steps", "100000"}));
  program.wait_for_output("Iteration: 10,");
  program.send_signal(SIGINT);
  EXPECT_EQ(program.finish().code, 130);
  const std::string whole = test::content_of(run + "/config.json");
  const auto resume = [&](const char* revision) {
    std::string config = whole;
    const std::string key = "\"numerics_revision\": ";
    config.replace(config.find(key) + key.size(), 1, revision);
    machine.folder.write("run/config.json", config);
    const Folder opened("test", run);
    auto manifest = run::Manifest::read(opened).value();
    manifest.files["config.json"] = {run::hash_of(std::as_bytes(std::span(config)))};
    manifest.write(opened);
    const auto before = test::files_in(run);
    // Without any data: nothing else has to be there to say so.
    const auto result = test::run_program({"train", "--resume", run});
    EXPECT_EQ(result.code, 1);
    EXPECT_EQ(test::files_in(run), before);
    return result.err;
  };
  expect_parts(resume("1"), {run + " can't be resumed to the same weights",
                             "an older revision of the numerics (1) than this program has (",
                             "use the program that made it (unroll --version names its revision)",
                             "or start a new run: unroll train --config " + run + "/config.json"});
  expect_parts(resume("999"), {"a newer revision of the numerics (999)", "update this program"});
}

TEST(Resume, AFolderWithoutARunIsSaidToBeOne) {
  const test::SmallRun machine;
  const std::string empty = machine.folder / "it's empty";
  std::filesystem::create_directory(empty);
  const auto none = test::run_program({"train", "--resume", empty});
  EXPECT_EQ(none.code, 1);
  expect_parts(none.err, {empty + " has no run", "no config.json",
                          "unroll train DATASET --out '" + machine.folder / "it'\\''s empty'"});
  const auto missing = test::run_program({"train", "--resume", machine.folder / "missing"});
  EXPECT_EQ(missing.code, 1);
  expect_parts(missing.err, {"there is no folder", "missing", "--out"});
  const auto twice = test::run_program({"train", "adding", "--out", machine.folder / "a b",
                                        "--hidden", "4", "--steps", "1", "--length", "5"});
  EXPECT_EQ(twice.code, 0);
  expect_parts(twice.err, {"unroll eval '" + machine.folder / "a b'"});
}

TEST(Fault25, TheFolderIsGoneOrMayNotBeWrittenIn) {
  const test::SmallRun machine;
  const Texts flags = {"--eval-every", "5", "--steps", "100000", "--checkpoint-every", "200"};
  const auto end_with = [&](const std::string& out, const auto& fault) {
    test::Program program(machine.train_arguments(out, flags));
    program.wait_for_output("Iteration: 10,");
    fault(machine.folder / out);
    return program.finish();
  };
  const auto gone = end_with("gone", [](const auto& path) { std::filesystem::remove_all(path); });
  EXPECT_EQ(gone.code, 1);
  expect_parts(gone.err, {"stopped after step", "gone is gone"});
  EXPECT_EQ(gone.err.find("Make room"), std::string::npos) << gone.err;
  if (::geteuid() == 0) return;  // who may do everything
  const auto closed = end_with("closed", [](const auto& path) {
    std::filesystem::permissions(path, std::filesystem::perms(0500));
  });
  std::filesystem::permissions(machine.folder / "closed", std::filesystem::perms(0700));
  EXPECT_EQ(closed.code, 1);
  expect_parts(closed.err, {"Give yourself permission to write in", "--resume"});
}

}  // namespace
}  // namespace unroll
