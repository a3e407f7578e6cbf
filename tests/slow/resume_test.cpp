// Runs that are killed, interrupted or find their folder damaged, and go on.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include "support/expect_parts.h"
#include "support/file_faults.h"
#include "support/small_run.h"

namespace unroll {
namespace {

using test::SmallRun;
using Texts = std::vector<std::string>;

using test::expect_parts;

struct Machine : SmallRun {
  test::ProgramResult resume(const std::string& out, Texts more = {}) const {
    more.insert(more.begin(), {"train", "--resume", folder / out, "--data-dir", data_dir});
    return test::run_program(more);
  }

  void expect_same(const std::string& out, const std::string& whole) const {
    for (const std::string name : {"/config.json", "/metrics.jsonl", "/model.safetensors"})
      EXPECT_TRUE(test::content_of(folder / (out + name)) ==
                  test::content_of(folder / (whole + name)))
          << out << name;
  }

  /// A run of `steps` that was killed with its checkpoints after every step that 10 divides.
  void kill_run(const std::string& out, const std::string& after, Texts more = {}) const {
    more.insert(more.end(), {"--eval-every", "5", "--steps", "100000", "--checkpoint-every", "10"});
    test::Program program(train_arguments(out, more));
    program.wait_for_output("Iteration: " + after + ",");
    program.send_signal(SIGKILL);
    EXPECT_EQ(program.finish().code, 128 + SIGKILL);
  }

  std::set<std::string> files(const std::string& out) const { return test::files_in(folder / out); }

  void flip_a_bit_of(const std::string& name, std::size_t from_end = 10) const {
    std::string content = test::content_of(folder / name);
    content[content.size() - from_end] ^= 1;
    folder.write(name, content);
  }
};

struct ResumedSetting {
  const char* name;
  std::string dataset;
  Texts flags;
};

const std::string kSeries = UNROLL_SOURCE_DIR "/examples/data/";

const ResumedSetting resumed[] = {
    {"DropoutAndShifts",
     "mnist",
     {"--hidden", "16", "--layers", "2", "--dropout", "0.3", "--augment", "shift1", "--optimizer",
      "adam", "--batch-size", "70", "--epochs", "30", "--rng", "torch"}},
    {"Tbptt",
     "mnist",
     {"--hidden", "16", "--tbptt", "9", "--recipe", "sprint", "--steps", "150", "--save-at",
      "60,120"}},
    {"Cnn", "mnist", {"--model", "cnn", "--hidden", "2", "--dropout", "0.2", "--steps", "60"}},
    {"Copy",
     "copy",
     {"--model", "lstm", "--hidden", "10", "--length", "10", "--tbptt", "8", "--batch-size", "10",
      "--steps", "120"}},
    {"SeriesAndRefit",
     kSeries + "pumps.csv",
     {"--task", "classify", "--target", "state", "--series", "cycle", "--time", "second", "--group",
      "pump", "--patience", "2", "--refit", "--hidden", "8", "--lr", "0.02", "--steps", "200"}},
    {"Regress",
     kSeries + "batteries.csv",
     {"--task", "regress", "--target", "capacity", "--series", "run", "--time", "minute",
      "--hidden", "8", "--steps", "200"}},
    {"Words",
     kSeries + "commands.tsv",
     {"--task", "label", "--words", "word", "--target", "kind", "--hidden", "8", "--steps", "200"}},
};

class Killed : public testing::TestWithParam<ResumedSetting> {};

// Five of each setting: moments of any kind, whatever the program does in them. The moments come
// from a generator with a seed; what they meet depends on the machine.
TEST_P(Killed, Fault35_AtRandomMomentsAndResumed) {
  const Machine machine;
  const auto arguments = [&](const std::string& out, const std::string& threads) {
    Texts all = {"train", GetParam().dataset,  "--data-dir", machine.data_dir,
                 "--out", machine.folder / out};
    all.insert(all.end(), GetParam().flags.begin(), GetParam().flags.end());
    all.insert(all.end(), {"--eval-every", "20", "--threads", threads});
    return all;
  };
  const auto start = std::chrono::steady_clock::now();
  const auto whole = test::run_program(arguments("whole", "1"));
  const std::chrono::duration<double> length = std::chrono::steady_clock::now() - start;
  ASSERT_EQ(whole.code, 0) << whole.err;

  std::mt19937 random(static_cast<unsigned>(GetParam().name[0]));
  int killed = 0;
  for (int run = 0; killed < 5 && run < 50; ++run) {
    const std::string out = "run" + std::to_string(run);
    Texts command = arguments(out, "1");
    for (int part = 0;; ++part) {
      command.insert(command.end(), {"--checkpoint-every", part % 2 ? "0.02s" : "7"});
      test::Program program(command);
      const double moment = static_cast<double>(random()) / 0x1p32;
      if (killed < 5) {
        std::this_thread::sleep_for(length * moment);
        program.send_signal(SIGKILL);
      }
      const auto result = program.finish();
      if (result.code != 128 + SIGKILL) {
        ASSERT_EQ(result.code, 0) << result.err;
        break;
      }
      ++killed;
      // Before there is a folder with a config.json there is nothing to resume.
      if (!std::filesystem::exists(machine.folder / (out + "/config.json"))) {
        command = arguments(out, "1");
        continue;
      }
      command = {"train",          "--resume",  machine.folder / out, "--data-dir",
                 machine.data_dir, "--threads", part % 2 ? "1" : "2"};
    }
    machine.expect_same(out, "whole");
    if (machine.files("whole").contains("step_60.safetensors")) {
      EXPECT_EQ(test::content_of(machine.folder / (out + "/step_60.safetensors")),
                test::content_of(machine.folder / "whole/step_60.safetensors"));
    }
  }
  EXPECT_EQ(killed, 5);
  const auto verified =
      test::run_program({"verify", machine.folder / "run0", "--data-dir", machine.data_dir});
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
}

INSTANTIATE_TEST_SUITE_P(Runs, Killed, testing::ValuesIn(resumed),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Resume, KilledBeforeItsFirstCheckpointItStartsAgain) {
  const Machine machine;
  const Texts flags = {"--steps", "2000", "--eval-every", "5", "--hidden", "8"};
  ASSERT_EQ(machine.train("whole", flags).code, 0);
  test::Program program(machine.train_arguments("run", flags));
  program.wait_for_output("Iteration: 10,");
  program.send_signal(SIGKILL);
  if (program.finish().code == 0) GTEST_SKIP() << "it was too fast to be killed";
  const auto result = machine.resume("run");
  ASSERT_EQ(result.code, 0) << result.err;
  expect_parts(result.err, {"no checkpoint yet", "starting again"});
  machine.expect_same("run", "whole");
}

TEST(Resume, AFinishedRunIsLeftAsItIs) {
  const Machine machine;
  ASSERT_EQ(machine.train("run", {"--steps", "5"}).code, 0);
  const std::string manifest = test::content_of(machine.folder / "run/manifest.json");
  const auto result = machine.resume("run");
  EXPECT_EQ(result.code, 0);
  expect_parts(result.err, {"is finished", "unroll eval"});
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(test::content_of(machine.folder / "run/manifest.json"), manifest);
}

TEST(Resume, WhatItCantMakeSenseOfIsRefused) {
  const Machine machine;
  for (const char* every : {"0", "-1", "s", "0s", "nans", "infs", "5m", "1.5", ""}) {
    const auto result = machine.train("run", {"--checkpoint-every", every});
    EXPECT_EQ(result.code, 2) << every;
    expect_parts(result.err, {"--checkpoint-every"});
  }
  EXPECT_EQ(machine.train("run", {"--resume", machine.folder / "run"}).code, 2);
  EXPECT_FALSE(std::filesystem::exists(machine.folder / "run"));
}

TEST(Resume, ThereMustBeARun) {
  const Machine machine;
  EXPECT_EQ(machine.resume("nothing").code, 1);
  std::filesystem::create_directory(machine.folder / "empty");
  const auto result = machine.resume("empty");
  EXPECT_EQ(result.code, 1);
  expect_parts(result.err, {"empty has no run", "config.json"});
}

TEST(Fault36, ResumedWithOtherSettings) {
  const Machine machine;
  machine.kill_run("run", "30");
  const auto before = machine.files("run");
  const auto result = machine.resume("run", {"--lr", "0.5", "--hidden", "7", "--threads", "2"});
  EXPECT_EQ(result.code, 2);
  expect_parts(result.err, {"lr is ", " there, 0.5 here", "hidden is ", " there, 7 here"});
  EXPECT_EQ(result.err.find("threads"), std::string::npos) << result.err;
  EXPECT_EQ(machine.files("run"), before);
  expect_parts(machine.resume("run", {"--recipe", "sprint", "--model", "gru"}).err,
               {"recipe is \"tuned\" there", "model is \"rnn\" there, \"gru\" here"});
}

TEST(Fault36, ResumedWithAChangedConfig) {
  const Machine machine;
  machine.kill_run("run", "30");
  std::string config = test::content_of(machine.folder / "run/config.json");
  const std::string was = "\"batch_size\": 100";
  ASSERT_NE(config.find(was), std::string::npos);
  config.replace(config.find(was), was.size(), "\"batch_size\": 50");
  machine.folder.write("run/config.json", config);
  const auto result = machine.resume("run");
  EXPECT_EQ(result.code, 1);
  expect_parts(result.err, {"config.json was changed", "batch_size is 100 there, 50 here"});
}

TEST(Fault36, ResumedWithOtherData) {
  const Machine machine;
  machine.kill_run("run", "30");
  std::string labels = test::content_of(machine.mnist + "/train-labels-idx1-ubyte");
  labels.back() = 0;
  machine.folder.write("data/mnist/train-labels-idx1-ubyte", labels);
  const auto result = machine.resume("run");
  EXPECT_EQ(result.code, 1);
  expect_parts(result.err, {"the training data differs"});
  EXPECT_EQ(result.err.find("test data"), std::string::npos) << result.err;
}

TEST(Fault36, TheSameDataMayLieElsewhere) {
  const Machine machine;
  test::write_small_set(machine.folder, "here/set");
  test::write_small_set(machine.folder, "there/set");
  const auto train = [&](const std::string& out, Texts more) {
    more.insert(more.begin(), {"train", machine.folder / "here/set", "--steps", "40", "--out",
                               machine.folder / out});
    return test::run_program(more);
  };
  ASSERT_EQ(train("whole", {}).code, 0);
  test::Program program({"train", machine.folder / "here/set", "--steps", "40", "--out",
                         machine.folder / "run", "--checkpoint-every", "1", "--eval-every", "0"});
  while (!std::filesystem::exists(machine.folder / "run/checkpoint_3.safetensors"))
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  program.send_signal(SIGKILL);
  if (program.finish().code == 0) GTEST_SKIP() << "it was too fast to be killed";
  std::filesystem::remove_all(machine.folder / "here");
  EXPECT_NE(machine.resume("run").code, 0);
  const auto result = test::run_program(
      {"train", machine.folder / "there/set", "--resume", machine.folder / "run"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(machine.model("run"), machine.model("whole"));
}

TEST(Fault34, TheLastCheckpointIsDamaged) {
  const Machine machine;
  const Texts flags = {"--steps", "60", "--eval-every", "5"};
  ASSERT_EQ(machine.train("whole", flags).code, 0);
  Texts killed = flags;
  killed.insert(killed.end(), {"--checkpoint-every", "5"});
  test::Program program(machine.train_arguments("run", killed));
  while (!std::filesystem::exists(machine.folder / "run/checkpoint_15.safetensors"))
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  program.send_signal(SIGKILL);
  if (program.finish().code == 0) GTEST_SKIP() << "it was too fast to be killed";
  std::vector<int> steps;
  for (const std::string& name : machine.files("run"))
    if (name.starts_with("checkpoint_")) steps.push_back(std::stoi(name.substr(11)));
  ASSERT_GE(steps.size(), 2u);
  std::ranges::sort(steps);
  const std::string last = "checkpoint_" + std::to_string(steps.back()) + ".safetensors";
  machine.flip_a_bit_of("run/" + last);
  const auto result = machine.resume("run");
  ASSERT_EQ(result.code, 0) << result.err;
  expect_parts(result.err, {"going on with", "after step"});
  machine.expect_same("run", "whole");
}

TEST(Fault39, InterruptedOnceItGoesOnToTheSameBits) {
  const Machine machine;
  // 300 images: steps 1 to 3 are an epoch, and every fourth begins another.
  const Texts flags = {"--steps",  "2000", "--eval-every", "5", "--dropout", "0.2",
                       "--layers", "2",    "--hidden",     "8"};
  ASSERT_EQ(machine.train("whole", flags).code, 0);
  test::Program program(machine.train_arguments("run", flags));
  program.wait_for_output("Iteration: 10,");
  program.send_signal(SIGINT);
  const auto result = program.finish();
  ASSERT_EQ(result.code, 130) << result.err;
  expect_parts(result.err, {"go on with: unroll train --resume " + machine.folder / "run",
                            "--data-dir " + machine.data_dir});
  // What is there can be tested, and verified.
  EXPECT_EQ(test::run_program({"inspect", machine.folder / "run"}).code, 0);
  const auto verified =
      test::run_program({"verify", machine.folder / "run", "--data-dir", machine.data_dir});
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  const auto resumed = machine.resume("run", {"--threads", "2", "--rows-at-once", "30"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  machine.expect_same("run", "whole");
}

TEST(Fault39, InterruptedTwiceItEndsAtOnce) {
  const Machine machine;
  // One step takes seconds.
  test::Program program(machine.train_arguments(
      "run", {"--hidden", "2048", "--batch-size", "300", "--steps", "2", "--threads", "1"}));
  program.wait_for_output("mnist test:");
  while (!std::filesystem::exists(machine.folder / "run/metrics.jsonl"))
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  // Two that come at once are one to the process.
  for (int i = 0; i < 2; ++i) {
    program.send_signal(SIGINT);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
  const auto result = program.finish();
  EXPECT_EQ(result.code, 130);
  EXPECT_EQ(result.err.find("interrupted"), std::string::npos) << result.err;
  EXPECT_EQ(machine.files("run"),
            (std::set<std::string>{"config.json", "manifest.json", "metrics.jsonl"}));
}

TEST(Fault37, TheLastCheckpointBeforeADivergenceIsKept) {
  const Machine machine;
  const auto result =
      machine.train("run", {"--recipe", "tutorial", "--lr", "1e30", "--checkpoint-every", "1"});
  EXPECT_EQ(result.code, 1);
  // That after the first step has the weights which the first update ruined.
  EXPECT_TRUE(machine.files("run").contains("checkpoint_0.safetensors"));
  EXPECT_FALSE(machine.files("run").contains("checkpoint_1.safetensors"));
  const auto resumed = machine.resume("run");
  EXPECT_EQ(resumed.code, 1);
  expect_parts(resumed.err, {"would diverge again", "smaller --lr"});
  const auto verified =
      test::run_program({"verify", machine.folder / "run", "--data-dir", machine.data_dir});
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
}

TEST(Fault25, TheDiskIsFullWhileTraining) {
  const Machine machine;
  const Texts flags = {"--steps", "60", "--eval-every", "5", "--checkpoint-every", "5"};
  ASSERT_EQ(machine.train("whole", flags).code, 0);
  // Not a disk, but a limit on the size of a file: a write comes back short, the next one fails.
  const auto result = test::run_program(machine.train_arguments("run", flags),
                                        {.script = R"(trap '' XFSZ; ulimit -f 6; exec "$0" "$@")"});
  EXPECT_EQ(result.code, 1);
  expect_parts(result.err, {"can't write", "File too large", "Make room", "unroll train --resume"});
  const auto resumed = machine.resume("run");
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  machine.expect_same("run", "whole");
}

TEST(Fault27, ABitOfAModelOrItsManifest) {
  const Machine machine;
  ASSERT_EQ(machine.train("run", {"--steps", "5"}).code, 0);
  const auto all = [&](const std::string& model, const std::string& part) {
    for (const Texts& command : {Texts{"inspect", model}, Texts{"predict", model},
                                 Texts{"eval", model, "--data-dir", machine.data_dir}}) {
      const auto result = test::run_program(command);
      EXPECT_EQ(result.code, 1) << command[0];
      expect_parts(result.err, {part, "damaged"});
    }
  };
  machine.flip_a_bit_of("run/model.safetensors");
  all(machine.folder / "run", "model.safetensors");
  all(machine.folder / "run/model.safetensors", "model.safetensors");
  machine.flip_a_bit_of("run/model.safetensors");
  EXPECT_EQ(test::run_program({"inspect", machine.folder / "run"}).code, 0);
  machine.flip_a_bit_of("run/manifest.json", 20);  // in its own hash
  all(machine.folder / "run", "manifest.json");
}

TEST(Verify, ARunThatDidNotEndIsNotVerified) {
  const Machine machine;
  machine.kill_run("run", "30");
  const auto result = test::run_program({"verify", machine.folder / "run"});
  EXPECT_EQ(result.code, 1);
  expect_parts(result.err, {"did not end", "--resume"});
  // Nor is there a model yet.
  expect_parts(test::run_program({"inspect", machine.folder / "run"}).err,
               {"has no model yet", "--resume"});
}

}  // namespace
}  // namespace unroll
