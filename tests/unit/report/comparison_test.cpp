#include "report/comparison.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "train/config.h"

namespace unroll::report {
namespace {

using Json = nlohmann::ordered_json;

RunRecord finished(std::uint64_t seed, double accuracy) {
  RunRecord run{.path = "runs/made-up", .name = "made-up"};
  run.manifest.status = run::RunStatus::finished;
  run.config = train::recipe("tuned");
  run.config.seed = seed;
  run.log.tests.push_back(
      {.step = 3000, .loss = accuracy / 10, .metrics = {{"accuracy", accuracy}}});
  return run;
}

TEST(ReportComparison, MeanAndDeviationOverSeeds) {
  // The textbook's example: mean 5, sum of squares 32, of 8 samples.
  std::vector<RunRecord> runs;
  for (const double value : {2, 4, 4, 4, 5, 5, 7, 9}) runs.push_back(finished(runs.size(), value));
  const Json all = groups(runs);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].at("name"), "mnist-rnn-tuned");
  EXPECT_EQ(all[0].at("runs"), Json::parse("[0, 1, 2, 3, 4, 5, 6, 7]"));
  const Json& accuracy = all[0].at("metrics")[0];
  EXPECT_EQ(accuracy.at("key"), "accuracy");
  EXPECT_EQ(accuracy.at("mean"), 5.0);
  EXPECT_NEAR(accuracy.at("deviation").get<double>(), std::sqrt(32.0 / 7), 1e-14);
  EXPECT_EQ(accuracy.at("values"), Json::parse("[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]"));
  EXPECT_EQ(all[0].at("metrics")[1].at("key"), "loss");
  EXPECT_DOUBLE_EQ(all[0].at("metrics")[1].at("mean").get<double>(), 0.5);
  EXPECT_EQ(differences(runs).at("keys"), Json::parse(R"(["seed"])"));
}

TEST(ReportComparison, ARunThatFailedHasNoShareInTheMean) {
  std::vector<RunRecord> runs = {finished(0, 90), finished(1, 10), finished(2, 92)};
  runs[1].manifest.status = run::RunStatus::diverged;
  Json accuracy = groups(runs)[0].at("metrics")[0];
  EXPECT_EQ(accuracy.at("mean"), 91.0);
  EXPECT_EQ(accuracy.at("values"), Json::parse("[90.0, null, 92.0]"));
  runs[2].log.tests.clear();
  accuracy = groups(runs)[0].at("metrics")[0];
  EXPECT_EQ(accuracy.at("mean"), 90.0);
  EXPECT_EQ(accuracy.at("deviation"), nullptr);
  runs[0].manifest.status = run::RunStatus::interrupted;
  EXPECT_EQ(groups(runs)[0].at("metrics")[0].at("mean"), nullptr);
}

TEST(ReportComparison, GroupsByAllSettingsButTheSeed) {
  std::vector<RunRecord> runs = {finished(0, 90), finished(0, 80), finished(1, 92),
                                 finished(1, 82)};
  runs[1].config.lr = runs[3].config.lr = 0.5;
  runs[2].config.threads = 7;  // changes no bit
  const Json all = groups(runs);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].at("runs"), Json::parse("[0, 2]"));
  EXPECT_EQ(all[1].at("runs"), Json::parse("[1, 3]"));
  EXPECT_EQ(all[1].at("name"), "mnist-rnn-tuned-lr0.5");
  EXPECT_EQ(all[1].at("metrics")[0].at("mean"), 81.0);
  const Json differing = differences(runs);
  EXPECT_EQ(differing.at("keys"), Json::parse(R"(["lr", "seed"])"));
  EXPECT_EQ(differing.at("rows")[3], Json::parse(R"(["0.5", "1"])"));
}

TEST(ReportComparison, OtherDataOfTheSameNameIsAnotherGroup) {
  std::vector<RunRecord> runs = {finished(0, 90), finished(1, 80)};
  runs[1].provenance.test_sha256 = "aaaa";
  EXPECT_EQ(groups(runs).size(), 2u);
  runs[1].provenance.test_sha256 = "";
  runs[1].provenance.numerics_revision = 7;
  EXPECT_EQ(groups(runs).size(), 2u);
}

TEST(ReportComparison, ASettingWithoutAnEffectIsEmpty) {
  std::vector<RunRecord> runs = {finished(0, 90), finished(0, 80)};
  runs[0].config.optimizer = train::Algorithm::sgd;
  runs[1].config.optimizer = train::Algorithm::adam;  // which has no momentum
  runs[0].config.momentum = runs[1].config.momentum = 0.5;
  runs[0].config.amsgrad = runs[1].config.amsgrad = false;  // the default of adam; sgd has none
  const Json all = differences(runs);
  const auto keys = all.at("keys").get<std::vector<std::string>>();
  const auto at = std::ranges::find(keys, "momentum");
  ASSERT_NE(at, keys.end());
  const auto column = static_cast<std::size_t>(at - keys.begin());
  EXPECT_EQ(all.at("rows")[0][column], "0.5");
  EXPECT_EQ(all.at("rows")[1][column], "");
  EXPECT_EQ(std::ranges::find(keys, "amsgrad"), keys.end());
}

}  // namespace
}  // namespace unroll::report
