// Several runs by one command: --seeds and --sweep, through the program.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/expect_parts.h"
#include "support/small_run.h"

namespace unroll {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Texts = std::vector<std::string>;
using test::expect_parts;

struct SetsOfRuns : testing::Test, test::SmallRun {
  const Texts small = {"--steps", "30", "--hidden", "5", "--batch-size", "50"};

  static Texts joined(Texts a, const Texts& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }
  Json summary(const std::string& set) const {
    return Json::parse(test::content_of(folder / (set + "/summary.json")));
  }
};

// Neither the set nor the processes change a bit.
TEST_F(SetsOfRuns, EachSeedIsTheRunThatItIsAlone) {
  const auto all = train("set", joined(small, {"--seeds", "0-2", "--threads", "2"}));
  ASSERT_EQ(all.code, 0) << all.err;
  expect_parts(all.err, {"3 runs in " + folder / "set", ", 2 at a time", "(3 of 3)",
                         "the runs are in " + folder / "set"});
  expect_parts(all.out,
               {"run                 accuracy  loss\nseed0", "\nmean ", "\nstandard deviation "});
  ASSERT_EQ(train("alone", joined(small, {"--seed", "1"})).code, 0);
  EXPECT_EQ(model("set/seed1"), model("alone"));
  EXPECT_EQ(metrics("set/seed1"), metrics("alone"));
  EXPECT_NE(model("set/seed0"), model("set/seed1"));
  const Json json = summary("set");
  EXPECT_EQ(json["finished"], 3);
  EXPECT_EQ(json["part"], "test");
  double sum = 0;
  for (const char* name : {"seed0", "seed1", "seed2"}) {
    const auto lines = test::lines_of(metrics(std::string("set/") + name));
    sum += Json::parse(lines.back())["accuracy"].get<double>();
  }
  EXPECT_NEAR(json["mean"]["accuracy"].get<double>(), sum / 3, 1e-9);
  const auto listed = test::run_program({"runs", folder / "set"});
  EXPECT_EQ(listed.code, 0) << listed.err;
  expect_parts(listed.out, {"\nseed0  finished", "\nseed2  finished"});
  const auto report = test::run_program({folder / "set"}, {.script = R"(exec "$0" report "$1"/*)"});
  EXPECT_EQ(report.code, 0) << report.err;
  EXPECT_EQ(report.err.find("left out"), std::string::npos) << report.err;
}

TEST_F(SetsOfRuns, TheSameCommandLeavesWhatHasFinished) {
  const Texts flags = joined(small, {"--seeds", "0-1"});
  ASSERT_EQ(train("set", flags).code, 0);
  const std::string before = test::content_of(folder / "set/summary.json");
  const auto time = fs::last_write_time(folder / "set/seed0/model.safetensors");
  fs::remove_all(folder / "set/seed1");
  const auto again = train("set", flags);
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(fs::last_write_time(folder / "set/seed0/model.safetensors"), time);
  EXPECT_EQ(test::content_of(folder / "set/summary.json"), before);
  // Other settings are another set.
  const auto other = train("set", joined(flags, {"--lr", "0.125"}));
  EXPECT_EQ(other.code, 2);
  expect_parts(other.err, {"set/seed0 is a run of another kind; name a new folder with --out: lr "
                           "is 0.005 there, 0.125 here",
                           "2 of 2 runs in " + folder / "set"});
}

TEST_F(SetsOfRuns, ASignalStopsAllAndTheSameCommandGoesOn) {
  const Texts flags = {"--steps",      "3000", "--hidden", "5",   "--batch-size", "10",
                       "--eval-every", "0",    "--seeds",  "0-3", "--threads",    "2"};
  {
    test::Program program(train_arguments("set", flags));
    program.wait_for_error("at a time");
    while (!fs::exists(folder / "set/seed1/metrics.jsonl"))
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    program.send_signal(SIGINT);
    const auto result = program.finish();
    EXPECT_EQ(result.code, 128 + SIGINT) << result.err;
    expect_parts(result.err, {"interrupted by SIGINT: 0 of 4 runs in " + folder / "set" +
                              " have finished; go on with the same command"});
  }
  EXPECT_FALSE(fs::exists(folder / "set/seed3"));
  const auto again = train("set", flags);
  EXPECT_EQ(again.code, 0) << again.err;
  ASSERT_EQ(train("alone", {"--steps", "3000", "--hidden", "5", "--batch-size", "10",
                            "--eval-every", "0", "--seed", "1"})
                .code,
            0);
  EXPECT_EQ(model("set/seed1"), model("alone"));
  EXPECT_EQ(metrics("set/seed1"), metrics("alone"));
}

TEST_F(SetsOfRuns, OtherFilesStayAsTheyAre) {
  folder.write("mine/notes.txt", "mine\n");
  const auto result = train("mine", joined(small, {"--seeds", "0-1"}));
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.err, "unroll: " + folder / "mine" +
                            " is not empty and holds no runs of --seeds, --folds or --sweep; name "
                            "a new folder with --out\n");
  EXPECT_EQ(result.out, "");
}

TEST_F(SetsOfRuns, FlagsOfOneRunAreRefused) {
  const auto refused = [&](const Texts& flags, const std::string& text) {
    const auto result = train("set", joined(flags, {"--seeds", "0-1"}));
    EXPECT_EQ(result.code, 2);
    EXPECT_EQ(result.err, "unroll: " + text + "\n");
    EXPECT_FALSE(fs::exists(folder / "set"));
  };
  refused({"--report"},
          "--report is about one run; leave it out, and then: unroll report FOLDER/*");
  refused({"--diagnose"}, "--diagnose is about one run; leave it out, or train one");
  EXPECT_EQ(test::run_program({"train", "--resume", "x", "--seeds", "0-1"}).err,
            "unroll: --resume goes on with one run; several go on by their first command\n");
}

TEST_F(SetsOfRuns, ASweepNeedsAValidationPart) {
  const auto result = train("set", joined(small, {"--sweep", "lr=0.01,0.02"}));
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.err,
            "unroll: --sweep needs a validation part, and mnist has none; give one, as in "
            "--validate 0.15, or leave it out\n");
  EXPECT_FALSE(fs::exists(folder / "set"));
}

TEST_F(SetsOfRuns, AsJsonIsOneLine) {
  const auto result = train("set", joined(small, {"--seeds", "0-1", "--json"}));
  ASSERT_EQ(result.code, 0) << result.err;
  const Texts lines = test::lines_of(result.out);
  ASSERT_EQ(lines.size(), 1U);
  Json line = Json::parse(lines[0]);
  EXPECT_EQ(line["event"], "summary");
  line.erase("event");
  EXPECT_EQ(line, summary("set"));
}

}  // namespace
}  // namespace unroll
