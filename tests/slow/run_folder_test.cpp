// What `unroll train` leaves in a run's folder, and that it can be repeated from it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "core/numerics.h"
#include "support/file_faults.h"
#include "support/patterns.h"
#include "support/small_run.h"

namespace unroll {
namespace {

using Json = nlohmann::json;
using test::SmallRun;

TEST(RunFolder, MetricsHaveALineAStepWithEveryDigitThatCounts) {
  const SmallRun runs;
  const auto result = runs.train("run", {"--steps", "25", "--eval-every", "10"});
  ASSERT_EQ(result.code, 0) << result.err;
  const std::string number = R"(-?[0-9.]+(e[-+][0-9]+)?)";
  const std::string step = R"(\{"event":"step","step":[0-9]+,"loss":)" + number +
                           R"(,"grad_norm":)" + number + R"(,"epoch":[0-9],"lr":)" + number +
                           R"(\})";
  std::vector<int> steps, evaluated;
  std::size_t longest_loss = 0, longest_norm = 0;
  for (const std::string& line : test::lines_of(runs.metrics("run"))) {
    const Json event = Json::parse(line);
    if (event.at("event") == "eval") {
      evaluated.push_back(event.at("step"));
      EXPECT_EQ(event.at("total"), 100);
      EXPECT_EQ(event.at("accuracy"), event.at("correct"));  // percent, of 100 images
      continue;
    }
    EXPECT_TRUE(test::matches(line, step)) << line;
    steps.push_back(event.at("step"));
    const auto digits_of = [&](const char* key) {
      const std::size_t from = line.find(key) + std::strlen(key);
      const std::string text = line.substr(from, line.find(',', from) - from);
      return static_cast<std::size_t>(
          std::ranges::count_if(text, [](unsigned char c) { return std::isdigit(c) != 0; }));
    };
    longest_loss = std::max(longest_loss, digits_of("\"loss\":"));
    longest_norm = std::max(longest_norm, digits_of("\"grad_norm\":"));
  }
  std::vector<int> expected(25);
  std::iota(expected.begin(), expected.end(), 1);
  EXPECT_EQ(steps, expected);
  EXPECT_EQ(evaluated, (std::vector<int>{10, 20, 25}));
  // A loss is an f32, a norm an f64.
  EXPECT_LE(longest_loss, 9u);
  EXPECT_GE(longest_loss, 7u);
  EXPECT_GE(longest_norm, 16u);
}

TEST(RunFolder, SavesTheWeightsAfterTheStepsAskedFor) {
  const SmallRun runs;
  const auto result = runs.train("run", {"--steps", "10", "--save-at", "1,4,10"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(test::files_in(runs.folder / "run"),
            (std::set<std::string>{"config.json", "manifest.json", "metrics.jsonl",
                                   "model.safetensors", "samples.safetensors", "step_1.safetensors",
                                   "step_4.safetensors", "step_10.safetensors"}));
  EXPECT_EQ(test::content_of(runs.folder / "run/step_10.safetensors"), runs.model("run"));
  EXPECT_NE(test::content_of(runs.folder / "run/step_4.safetensors"), runs.model("run"));
  // A run of one step ends where this one was after its first, whatever is tested on the way.
  ASSERT_EQ(runs.train("one", {"--steps", "1", "--schedule", "constant"}).code, 0);
  ASSERT_EQ(runs.train("two", {"--steps", "9", "--schedule", "constant", "--save-at", "1",
                               "--eval-every", "1"})
                .code,
            0);
  EXPECT_EQ(test::content_of(runs.folder / "two/step_1.safetensors"), runs.model("one"));
}

TEST(RunFolder, ConfigHoldsEverySettingAndRepeatsTheRun) {
  const SmallRun runs;
  const auto first = runs.train(
      "first", {"--recipe", "sprint", "--steps", "12", "--hidden", "33", "--lr", "0.0123", "--seed",
                "18446744073709551615", "--eval-every", "5", "--save-at", "3"});
  ASSERT_EQ(first.code, 0) << first.err;
  const Json config = Json::parse(test::content_of(runs.folder / "first/config.json"));
  EXPECT_EQ(config.at("numerics_revision"), numerics::revision);
  EXPECT_EQ(config.at("settings").at("hidden"), 33);
  EXPECT_EQ(config.at("settings").at("lr"), 0.0123);
  EXPECT_EQ(config.at("settings").at("seed"), 18446744073709551615u);
  EXPECT_EQ(config.at("settings").at("optimizer"), "muon");
  for (const char* set : {"train_sha256", "test_sha256"})
    EXPECT_GE(config.at("data").at(set).get<std::string>().size(), 64u);

  const auto with_config = [&](const std::string& out, std::vector<std::string> more) {
    more.insert(more.begin(), {"train", "--config", runs.folder / "first/config.json", "--data-dir",
                               runs.data_dir, "--out", runs.folder / out});
    return test::run_program(more);
  };
  const auto again = with_config("again", {});
  ASSERT_EQ(again.code, 0) << again.err;
  for (const char* name :
       {"config.json", "metrics.jsonl", "model.safetensors", "step_3.safetensors"})
    EXPECT_EQ(test::content_of(runs.folder / ("first/" + std::string(name))),
              test::content_of(runs.folder / ("again/" + std::string(name))))
        << name;

  // Flags beside it win.
  ASSERT_EQ(with_config("other", {"--steps", "6", "--seed", "5"}).code, 0);
  const Json other = Json::parse(test::content_of(runs.folder / "other/config.json"));
  EXPECT_EQ(other.at("settings").at("steps"), 6);
  EXPECT_EQ(other.at("settings").at("seed"), 5);
  EXPECT_EQ(other.at("settings").at("hidden"), 33);
  // 300 images in batches of 100: two epochs are 6 steps.
  ASSERT_EQ(with_config("epochs", {"--epochs", "2", "--seed", "5"}).code, 0);
  EXPECT_EQ(runs.metrics("epochs"), runs.metrics("other"));
}

TEST(RunFolder, ConfigRefusesOtherData) {
  const SmallRun runs;
  ASSERT_EQ(runs.train("first", {"--steps", "2"}).code, 0);
  std::string labels = test::content_of(runs.mnist + "/train-labels-idx1-ubyte");
  labels.back() = 0;
  runs.folder.write("data/mnist/train-labels-idx1-ubyte", labels);
  const std::string config = runs.folder / "first/config.json";
  const auto result = test::run_program(
      {"train", "--config", config, "--data-dir", runs.data_dir, "--out", runs.folder / "second"});
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.err.find("SHA-256"), std::string::npos) << result.err;
  EXPECT_FALSE(std::filesystem::exists(runs.folder / "second"));
}

TEST(RunFolder, IsNeverWrittenOver) {
  const SmallRun runs;
  ASSERT_EQ(runs.train("run", {"--steps", "2"}).code, 0);
  const std::string before = runs.model("run");
  const auto result = runs.train("run", {"--steps", "3"});
  EXPECT_EQ(result.code, 2);
  EXPECT_NE(result.err.find(runs.folder / "run"), std::string::npos) << result.err;
  EXPECT_EQ(runs.model("run"), before);
}

TEST(RunFolder, GetsANameOfItsOwnWhereNoneIsGiven) {
  const SmallRun runs;
  test::Program program({"train", "mnist", "--data-dir", runs.data_dir, "--steps", "2"});
  const auto result = program.finish();
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(std::filesystem::exists(program.folder() /
                                      "work/runs/mnist-rnn-tuned-steps2-seed0/model.safetensors"));
  // By the name of the set that was loaded, however its folder was written.
  test::write_small_set(runs.folder, "small");
  test::Program small({"train", runs.folder / "small/", "--steps", "2"});
  ASSERT_EQ(small.finish().code, 0);
  EXPECT_TRUE(std::filesystem::exists(small.folder() / "work/runs/small-rnn-tuned-steps2-seed0"));
}

}  // namespace
}  // namespace unroll
