// unroll train --resume RUN --steps N: steps for a run that is finished.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/expect_parts.h"
#include "support/file_faults.h"
#include "support/series_file.h"
#include "support/small_run.h"

namespace unroll {
namespace {

using Json = nlohmann::json;
using Texts = std::vector<std::string>;
using test::content_of;
using test::expect_parts;

struct Extend : testing::Test, test::SmallRun {
  test::ProgramResult run(Texts arguments) const {
    arguments.insert(arguments.begin(), "train");
    arguments.insert(arguments.end(), {"--data-dir", data_dir});
    return test::run_program(arguments);
  }
  test::ProgramResult extend(const std::string& out, const std::string& steps,
                             Texts more = {}) const {
    more.insert(more.end(), {"--resume", folder / out, "--steps", steps});
    return run(more);
  }
  Json settings(const std::string& out) const {
    return Json::parse(content_of(folder / (out + "/config.json"))).at("settings");
  }
  void expect_verified(const std::string& out) const {
    const auto verified = test::run_program({"verify", folder / out, "--data-dir", data_dir});
    EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
    expect_parts(verified.out, {"model.safetensors has the same bits"});
  }
  void expect_same(const std::string& out, const std::string& whole) const {
    for (const std::string name :
         {"/config.json", "/metrics.jsonl", "/model.safetensors", "/samples.safetensors"})
      EXPECT_TRUE(content_of(folder / (out + name)) == content_of(folder / (whole + name))) << name;
  }
};

TEST_F(Extend, AFinishedRunHasTheFilesOfOneThatKnewItFromTheStart) {
  const Texts flags = {"--hidden", "8", "--schedule", "linear", "--eval-every", "10"};
  const auto with = [&](Texts more) {
    more.insert(more.end(), flags.begin(), flags.end());
    return more;
  };
  ASSERT_EQ(train("run", with({"--steps", "40", "--checkpoint-every", "15"})).code, 0);
  const auto result = extend("run", "25");
  ASSERT_EQ(result.code, 0) << result.err;
  expect_parts(result.err, {"adding steps 41 to 65 to ",
                            "it goes on from step 31, because its last "
                            "checkpoint is of step 30"});
  // Images show the test part after each evaluation anyway.
  EXPECT_EQ(result.err.find("may be too good"), std::string::npos) << result.err;
  EXPECT_EQ(settings("run").at("steps"), 65);
  EXPECT_EQ(settings("run").at("restart_at"), Json({40}));
  ASSERT_EQ(train("whole", with({"--steps", "65", "--restart-at", "40"})).code, 0);
  expect_same("run", "whole");
  expect_verified("run");

  const auto again = extend("run", "5", {"--threads", "1", "--quiet"});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(settings("run").at("restart_at"), Json({40, 65}));
  expect_verified("run");
  const auto report = test::run_program({"report", folder / "run", "-o", folder / "page.html"});
  EXPECT_EQ(report.code, 0) << report.err;
  const auto runs = test::run_program({"runs", folder.path()});
  expect_parts(runs.out, {"run", "finished"});
}

TEST_F(Extend, EpochsBecomeSteps) {
  ASSERT_EQ(train("run", {"--epochs", "2", "--hidden", "4", "--batch-size", "50"}).code, 0);
  const std::size_t made = test::lines_of(metrics("run")).size() - 1;  // and an evaluation
  const auto result = extend("run", "3");
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(settings("run").at("steps"), made + 3);
  EXPECT_EQ(settings("run").at("epochs"), 0);
  EXPECT_EQ(settings("run").at("restart_at"), Json({made}));
  expect_verified("run");
}

TEST_F(Extend, KilledItGoesOnToTheSameBits) {
  const Texts flags = {"--eval-every", "20", "--hidden", "8"};
  const auto with = [&](Texts more) {
    more.insert(more.end(), flags.begin(), flags.end());
    return more;
  };
  ASSERT_EQ(train("run", with({"--steps", "40"})).code, 0);
  test::Program program({"train", "--resume", folder / "run", "--steps", "3000", "--data-dir",
                         data_dir, "--checkpoint-every", "10"});
  program.wait_for_output("Iteration: 100,");
  program.send_signal(SIGKILL);
  if (program.finish().code == 0) GTEST_SKIP() << "it was too fast to be killed";
  const auto refused = extend("run", "3000");
  EXPECT_EQ(refused.code, 2);
  expect_parts(refused.err, {"adds steps to a finished run, and", "did not end",
                             "unroll train --resume " + folder / "run"});
  const auto rest = run({"--resume", folder / "run"});
  ASSERT_EQ(rest.code, 0) << rest.err;
  ASSERT_EQ(train("whole", with({"--steps", "3040", "--restart-at", "40"})).code, 0);
  expect_same("run", "whole");
}

TEST_F(Extend, SeriesKeepTheirBestStepAndSayThatTheTestPartWasRead) {
  folder.write("slopes.csv", test::table_of_series());
  ASSERT_EQ(run({folder / "slopes.csv", "--task", "classify", "--target", "kind", "--series",
                 "series", "--ignore", "rate,subject", "--hidden", "4", "--steps", "30",
                 "--eval-every", "10", "--out", folder / "run"})
                .code,
            0);
  const auto result = extend("run", "20");
  ASSERT_EQ(result.code, 0) << result.err;
  expect_parts(result.err, {"the test part was read after step 30, too"});
  const Texts lines = test::lines_of(metrics("run"));
  int evaluations = 0, tests = 0;
  for (const std::string& line : lines) {
    const Json json = Json::parse(line);
    if (json.at("event") != "eval") continue;
    (json.contains("part") ? evaluations : tests)++;
  }
  EXPECT_EQ(evaluations, 5);
  EXPECT_EQ(tests, 1);
  EXPECT_EQ(lines.size(), 50u + 6);
  expect_verified("run");
  const auto proof =
      test::run_program({"verify", folder / "run", "--without-test", "--data-dir", data_dir});
  EXPECT_EQ(proof.code, 0) << proof.err;
}

TEST_F(Extend, ATaskOfMemory) {
  ASSERT_EQ(run({"adding", "--length", "6", "--hidden", "4", "--steps", "12", "--schedule",
                 "plateau", "--gamma-every", "1", "--eval-every", "3", "--out", folder / "run"})
                .code,
            0);
  ASSERT_EQ(extend("run", "9").code, 0);
  expect_verified("run");
}

TEST_F(Extend, WhatCantGoOnIsRefusedAndLeftAsItIs) {
  ASSERT_EQ(train("run", {"--steps", "5"}).code, 0);
  const auto before = test::files_in(folder / "run");
  const std::string manifest = content_of(folder / "run/manifest.json");
  for (const char* steps : {"0", "-3"}) {
    const auto result = extend("run", steps);
    EXPECT_EQ(result.code, 2);
    expect_parts(result.err, {"--steps " + std::string(steps), "at least 1"});
  }
  const auto other = extend("run", "5", {"--lr", "0.5"});
  EXPECT_EQ(other.code, 2);
  expect_parts(other.err, {"lr is ", "0.5 here"});
  EXPECT_EQ(extend("run", "5", {"--epochs", "2"}).code, 2);
  EXPECT_EQ(test::files_in(folder / "run"), before);
  EXPECT_EQ(content_of(folder / "run/manifest.json"), manifest);

  test::Program program(train_arguments("stopped", {"--steps", "100000", "--eval-every", "5"}));
  program.wait_for_output("Iteration: 10,");
  program.send_signal(SIGINT);
  EXPECT_EQ(program.finish().code, 130);
  const auto stopped = extend("stopped", "5");
  EXPECT_EQ(stopped.code, 2);
  expect_parts(stopped.err, {"did not end; let it end first"});

  ASSERT_EQ(train("early", {"--validate", "0.2", "--patience", "1", "--eval-every", "1", "--steps",
                            "2000", "--lr", "1", "--optimizer", "adam"})
                .code,
            0);
  const auto early = extend("early", "5");
  EXPECT_EQ(early.code, 1);
  expect_parts(early.err, {"it stopped before step 2000", "--patience 0"});
}

}  // namespace
}  // namespace unroll
