// The mean and the standard deviation of several runs, and the best choice of a sweep.
#include "app/set_summary.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace unroll::app {
namespace {

SetResult result(const std::string& name, double accuracy, double loss, std::size_t choice = 0,
                 std::int64_t fold = 0) {
  SetResult r{.run = {.name = name}, .status = "finished", .step = 10};
  r.run.choice = choice;
  r.run.fold = fold;
  r.result = train::Evaluation{
      .loss = loss,
      .metrics = {{.name = "accuracy", .value = accuracy, .unit = "%", .correct = 1, .total = 2}}};
  return r;
}

SetResult diverged(const std::string& name, std::size_t choice) {
  SetResult r{.run = {.name = name}, .status = "diverged"};
  r.run.choice = choice;
  return r;
}

std::vector<std::string> names_of_runs(const std::vector<SetRun>& runs) {
  std::vector<std::string> names;
  for (const SetRun& run : runs) names.push_back(run.name);
  return names;
}

// numpy.mean([97.0, 98.5, 96.0]), numpy.std([97.0, 98.5, 96.0], ddof=1); the same of the losses.
TEST(SetSummary, HasMeanAndDeviationOfASample) {
  const auto columns =
      summary_columns({result("a", 97, 0.125), result("b", 98.5, 0.25), result("c", 96, 0.5)});
  ASSERT_EQ(columns.size(), 2U);
  EXPECT_EQ(columns[0].name, "accuracy");
  EXPECT_DOUBLE_EQ(columns[0].mean(), 97.16666666666667);
  EXPECT_DOUBLE_EQ(columns[0].deviation(), 1.2583057392117916);
  EXPECT_DOUBLE_EQ(columns[1].mean(), 0.2916666666666667);
  EXPECT_DOUBLE_EQ(columns[1].deviation(), 0.19094065395649334);
  EXPECT_EQ(summary_columns({result("a", 97, 0.125)})[0].deviation(), 0);
}

TEST(SetSummary, TableLeavesOutRunsWithoutAResult) {
  EXPECT_EQ(
      summary_table({result("seed0", 97, 0.125), diverged("seed1", 0), result("seed2", 96, 0.5)}),
      "run                 accuracy  loss\n"
      "seed0               97.00 %   0.125\n"
      "seed1               diverged\n"
      "seed2               96.00 %   0.5\n"
      "mean                96.50 %   0.3125\n"
      "standard deviation  0.71      0.265165\n");
  EXPECT_EQ(summary_table({result("seed0", 97, 0.125)}),
            "run    accuracy  loss\n"
            "seed0  97.00 %   0.125\n");
}

TEST(SetSummary, TheBestChoiceHasTheLowestMeanLossOfItsSeeds) {
  EXPECT_EQ(names_of_runs(best_runs({result("a0", 0, 0.1, 0), result("a1", 0, 0.9, 0),
                                     result("b0", 0, 0.4, 1), result("b1", 0, 0.5, 1)})),
            (std::vector<std::string>{"b0", "b1"}));
  // The first of two that are as good.
  EXPECT_EQ(names_of_runs(best_runs({result("a", 0, 0.5, 0), result("b", 0, 0.5, 1)})),
            std::vector<std::string>{"a"});
  EXPECT_EQ(names_of_runs(best_runs({diverged("a", 0), result("b", 0, 9, 1)})),
            std::vector<std::string>{"b"});
  EXPECT_TRUE(best_runs({diverged("a", 0), diverged("b", 1)}).empty());
}

// The validation part of one fold is in the test part of another.
TEST(SetSummary, EachFoldChoosesByItself) {
  EXPECT_EQ(names_of_runs(best_runs({result("a0", 0, 0.1, 0, 0), result("a1", 0, 0.9, 0, 1),
                                     result("b0", 0, 0.4, 1, 0), result("b1", 0, 0.5, 1, 1)})),
            (std::vector<std::string>{"a0", "b1"}));
}

TEST(SetSummary, JsonSaysWhichPartTheResultsAreOf) {
  const auto seeds = summary_json({result("seed0", 97, 0.125)}, false, {});
  EXPECT_EQ(seeds.dump(),
            R"({"part":"test","runs":[{"name":"seed0","settings":{},"status":"finished",)"
            R"("step":10,"loss":0.125,"accuracy":97.0,"correct":1,"total":2}],"finished":1,)"
            R"("mean":{"accuracy":97.0,"loss":0.125},)"
            R"("standard_deviation":{"accuracy":0.0,"loss":0.0}})");
  SetResult chosen = result("a", 97, 0.125);
  chosen.result->part = data::Split::validation;
  const auto sweep = summary_json({chosen, diverged("b", 1)}, true, {result("a", 95, 0.25)});
  EXPECT_EQ(sweep["part"], "validation");
  EXPECT_EQ(sweep["runs"][1]["status"], "diverged");
  EXPECT_EQ(sweep["best"]["part"], "test");
  EXPECT_EQ(sweep["best"]["runs"][0]["accuracy"], 95.0);
}

TEST(SetSummary, BaselinesAreTheMeanOfTheFolds) {
  const train::Baseline a{.title = "training mean", .metric = "RMSE", .value = 1};
  train::Baseline b = a;
  b.value = 4;
  const auto mean = mean_baselines({{a}, {b}});
  ASSERT_EQ(mean.size(), 1U);
  EXPECT_EQ(mean[0].value, 2.5);
  EXPECT_TRUE(mean_baselines({}).empty());
}

SetResult validated(const std::string& name, double accuracy, std::int64_t fold, double baseline) {
  SetResult r = result(name, accuracy, 0.5, 0, fold);
  r.result->part = data::Split::validation;
  r.result->baselines = {{"most frequent class", "accuracy", baseline}};
  return r;
}

TEST(SetSummary, ThePartIsThatOfTheResults) {
  const auto json =
      summary_json({validated("fold0", 30, 0, 40), validated("fold1", 20, 1, 30)}, false, {});
  EXPECT_EQ(json["part"], "validation");
  EXPECT_EQ(json["baselines"].dump(),
            R"([{"title":"most frequent class","metric":"accuracy","value":35.0}])");
}

TEST(SetSummary, BaselinesOfASweepStandBesideTheTest) {
  SetResult tested = result("a", 95, 0.25);
  tested.result->baselines = {{"most frequent class", "accuracy", 50}};
  const auto sweep = summary_json({result("a", 97, 0.125)}, true, {tested});
  EXPECT_FALSE(sweep.contains("baselines"));
  EXPECT_EQ(sweep["best"]["baselines"][0]["value"], 50);
  // Without a test part.
  tested.result.reset();
  const auto untested = summary_json({result("a", 97, 0.125)}, true, {tested});
  EXPECT_EQ(untested["best"].dump(), R"({"runs":[{"name":"a","settings":{}}]})");
}

TEST(SetSummary, AWorseMeanThanTheBaselineIsSaid) {
  EXPECT_EQ(baseline_lines({validated("fold0", 30, 0, 40), validated("fold1", 20, 1, 30)}),
            (std::vector<std::string>{
                "baseline: most frequent class, accuracy 35.00 %",
                "By its accuracy, the model is WORSE than always answering the most frequent "
                "class."}));
  EXPECT_EQ(baseline_lines({validated("fold0", 50, 0, 40)}),
            (std::vector<std::string>{"baseline: most frequent class, accuracy 40.00 %"}));
}

TEST(SetSummary, SharesWithoutCountsHaveTheirUnit) {
  SetResult r{.run = {.name = "seed0"}, .status = "finished"};
  r.result = train::Evaluation{
      .loss = 0.5, .metrics = {{.name = "balanced accuracy", .value = 27.7778, .unit = "%"}}};
  EXPECT_EQ(summary_table({r}),
            "run    balanced accuracy  loss\n"
            "seed0  27.78 %            0.5\n");
}

}  // namespace
}  // namespace unroll::app
