#include "report/curves.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

namespace unroll::report {
namespace {

using Json = nlohmann::ordered_json;
using Steps = std::vector<run::MetricsLog::Step>;

/// Steps 1 to count, of loss 2 step.
Steps steps_up_to(std::int64_t count) {
  Steps all;
  for (std::int64_t s = 1; s <= count; ++s)
    all.push_back({s, 2.0 * static_cast<double>(s), 3.0 * static_cast<double>(s), 0.5});
  return all;
}

Json curves_of(const Steps& steps) {
  run::MetricsLog log;
  log.steps = steps;
  return curves(log);
}

TEST(ReportCurves, FewStepsArePointsThemselves) {
  EXPECT_EQ(curves_of(steps_up_to(3)),
            Json::parse(R"({"steps_per_point": 1, "step": [1, 2, 3], "loss": [2.0, 4.0, 6.0],
                                      "lr": [0.5, 0.5, 0.5], "grad_norm": [3.0, 6.0, 9.0]})"));
  EXPECT_EQ(curves_of({}).at("step"), Json::array());
}

TEST(ReportCurves, ManyStepsBecomeMeans) {
  const Json all = curves_of(steps_up_to(2500));
  EXPECT_EQ(all.at("steps_per_point"), 3);
  ASSERT_EQ(all.at("step").size(), 834u);  // of three steps each, the last of one
  EXPECT_EQ(all.at("step")[0], 3);
  EXPECT_EQ(all.at("loss")[0], 4.0);
  EXPECT_EQ(all.at("grad_norm")[0], 9.0);  // the largest, so that no peak is hidden
  EXPECT_EQ(all.at("step")[832], 2499);
  EXPECT_EQ(all.at("loss")[832], 4996.0);
  EXPECT_EQ(all.at("step")[833], 2500);
  EXPECT_EQ(all.at("loss")[833], 5000.0);
  for (const std::int64_t count : {999, 1000, 1001, 1999, 2001, 123457}) {
    const Json each = curves_of(steps_up_to(count));
    EXPECT_LE(each.at("step").size(), most_points);
    EXPECT_GT(each.at("step").size(), most_points / 2 - 2);
    EXPECT_EQ(each.at("step").back(), count);
  }
}

TEST(ReportCurves, NumbersHaveSixDigitsAndWhatIsNotFiniteIsNull) {
  Steps some = steps_up_to(2);
  some[0].loss = 1.23456789e-7;
  some[1].loss = std::nan("");
  some[0].grad_norm = INFINITY;
  some[1].lr = {};
  const Json all = curves_of(some);
  EXPECT_EQ(all.at("loss"), Json::parse("[1.23457e-7, null]"));
  EXPECT_EQ(all.at("grad_norm"), Json::parse("[null, 6.0]"));
  EXPECT_EQ(all.at("lr"), Json::parse("[0.5, null]"));
  // One of several steps.
  Steps many = steps_up_to(1500);
  many[100].loss = std::nan("");
  EXPECT_EQ(curves_of(many).at("loss")[50], nullptr);
  EXPECT_NE(curves_of(many).at("loss")[51], nullptr);
}

TEST(ReportCurves, TheStepThatFailedIsAPointOfItsOwn) {
  run::MetricsLog log;
  log.steps = steps_up_to(2500);
  log.divergence.emplace();
  log.divergence->failed = {2501, 3.6e6, INFINITY, 0.5};
  const Json all = curves(log);
  ASSERT_EQ(all.at("step").size(), 835u);
  EXPECT_EQ(all.at("step").back(), 2501);
  EXPECT_EQ(all.at("loss").back(), 3.6e6);
  EXPECT_EQ(all.at("grad_norm").back(), nullptr);
}

}  // namespace
}  // namespace unroll::report
