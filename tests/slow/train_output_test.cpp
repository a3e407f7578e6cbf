// What `unroll train` prints: the chapter's lines, or JSON.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/patterns.h"
#include "support/small_run.h"

namespace unroll {
namespace {

using Json = nlohmann::json;
using test::SmallRun;

std::vector<std::string> keys_of(const std::string& line) {
  std::vector<std::string> keys;
  const auto event = nlohmann::ordered_json::parse(line);
  for (const auto& item : event.items()) keys.push_back(item.key());
  return keys;
}

TEST(TrainOutput, IsTheChapters) {
  const SmallRun runs;
  const auto result = runs.train("run", {"--steps", "20", "--eval-every", "10"});
  ASSERT_EQ(result.code, 0) << result.err;
  const std::vector<std::string> lines = test::lines_of(result.out);
  ASSERT_EQ(lines.size(), 5u) << result.out;
  EXPECT_NE(lines[0].find("300x28x28, labels 300"), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find("100x28x28, labels 100"), std::string::npos) << lines[1];
  // Iteration: 500, Loss: 1.0513, Accuracy: 61.00
  const std::string evaluated = R"(, Loss: \d+\.\d{4}, Accuracy: \d+\.\d\d)";
  EXPECT_TRUE(test::matches(lines[2], "Iteration: 10" + evaluated)) << lines[2];
  EXPECT_TRUE(test::matches(lines[3], "Iteration: 20" + evaluated)) << lines[3];
  const auto found =
      test::search(lines[4], R"(^Test accuracy: (\d+\.\d\d) % \((\d+) of 100 correct\)$)");
  ASSERT_FALSE(found.empty()) << lines[4];
  EXPECT_EQ(found[1], found[2] + ".00");
  EXPECT_EQ(result.err.find('\r'), std::string::npos) << "redrawn lines are for terminals";
  EXPECT_NE(result.err.find("not those published"), std::string::npos) << result.err;
}

TEST(TrainOutput, AsJsonIsOneObjectALine) {
  const SmallRun runs;
  const auto result = runs.train("run", {"--steps", "20", "--eval-every", "10", "--json"});
  ASSERT_EQ(result.code, 0) << result.err;
  const std::vector<std::string> lines = test::lines_of(result.out);
  ASSERT_EQ(lines.size(), 3u) << result.out;
  const std::vector<std::string> promised = {"event",    "step",    "loss",
                                             "accuracy", "correct", "total"};
  for (int i = 0; i < 2; ++i) {
    std::vector<std::string> keys = keys_of(lines[i]);
    keys.resize(promised.size());
    EXPECT_EQ(keys, promised);
    const Json event = Json::parse(lines[i]);
    EXPECT_EQ(event.at("event"), "eval");
    EXPECT_EQ(event.at("step"), 10 * (i + 1));
    EXPECT_EQ(event.at("total"), 100);
    EXPECT_EQ(event.at("accuracy"), event.at("correct"));  // percent, of 100 images
  }
  const Json last = Json::parse(lines[1]), done = Json::parse(lines[2]);
  EXPECT_EQ(done.at("event"), "done");
  for (const char* key : {"loss", "accuracy", "correct", "total"})
    EXPECT_EQ(done.at(key), last.at(key)) << key;
  double parts = 0;
  for (const char* key : {"loading", "training", "testing"}) {
    const double seconds = done.at("seconds").at(key);
    EXPECT_GT(seconds, 0) << key;
    parts += seconds;
  }
  EXPECT_GE(done.at("seconds").at("total").get<double>(), parts);
  // The same numbers as in the run's folder.
  for (const std::string& line : test::lines_of(runs.metrics("run"))) {
    const Json event = Json::parse(line);
    if (event.at("event") != "eval") continue;
    const Json printed = Json::parse(lines[event.at("step") == 10 ? 0 : 1]);
    for (const auto& [key, value] : event.items()) {
      if (key == "inside") continue;  // in the file alone
      EXPECT_EQ(value, printed.at(key)) << key;
    }
    EXPECT_FALSE(printed.contains("inside"));
  }
}

TEST(TrainOutput, QuietIsTheFinalAccuracyAlone) {
  const SmallRun runs;
  const auto result = runs.train("run", {"--steps", "4", "--eval-every", "2", "--quiet"});
  EXPECT_TRUE(test::matches(result.out, "Test accuracy: .* correct\\)\n")) << result.out;
}

// Another set is never passed off as MNIST.
TEST(TrainOutput, NamesFashionMnistWhereverItPrintsAnAccuracy) {
  const SmallRun runs;
  test::write_small_set(runs.folder, "data/fashion-mnist");
  const auto train = [&](const std::string& out, const char* how) {
    return test::run_program({"train", "fashion-mnist", "--data-dir", runs.data_dir, "--steps", "4",
                              "--eval-every", "2", "--out", runs.folder / out, how});
  };
  int accuracies = 0;
  for (const auto& text :
       {train("text", "--threads=1").out, train("quiet", "--quiet").out,
        train("json", "--json").out,
        test::run_program({"eval", runs.folder / "text", "--data-dir", runs.data_dir}).out})
    for (const std::string& line : test::lines_of(text))
      if (!test::search(line, "[Aa][Cc][Cc][Uu][Rr][Aa][Cc][Yy]").empty()) {
        EXPECT_NE(line.find("fashion-mnist"), std::string::npos) << line;
        ++accuracies;
      }
  EXPECT_EQ(accuracies, 3 + 1 + 3 + 1);
}

}  // namespace
}  // namespace unroll
