#include "run/metrics_log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "run/inside_json.h"
#include "support/expect_error.h"
#include "unroll/core/error.h"

namespace unroll::run {
namespace {

using test::error_of;

TEST(MetricsLog, ReadsEveryKindOfLine) {
  const std::string text = R"({"event":"step","step":1,"loss":2.5,"grad_norm":3,"epoch":1,"lr":0.1}
{"event":"eval","step":1,"loss":2.25,"accuracy":12.5,"correct":1,"total":8,"train_loss":2.5,"epoch":1,"lr":0.1,"dataset":"mnist","inside":{"rows":8,"update_steps":1,"times":[1,28],"output_spread":0.5,"chance":11.35,"layers":[{"name":"rnn","weights":[0,0.1,0.5],"moved":0.002,"dead":0.25,"gradient":[1e-3,0.5]}]}}
{"event":"diverged","step":2,"loss":null,"grad_norm":null,"epoch":1,"lr":0.1,"kept":{"step":1,"loss":2.25,"accuracy":12.5,"correct":1,"total":8},"inside":{"rows":8,"update_steps":0,"times":[],"layers":[]}}
{"event":"step","step":3,"lo)";  // a line that is being written
  const MetricsLog log = read_metrics_log(text, "metrics.jsonl");
  ASSERT_EQ(log.steps.size(), 1u);
  EXPECT_EQ(log.steps[0].loss, 2.5);
  EXPECT_EQ(log.steps[0].lr, 0.1);
  ASSERT_EQ(log.tests.size(), 1u);
  EXPECT_EQ(log.tests[0].metric("accuracy"), 12.5);
  EXPECT_EQ(log.tests[0].metrics.size(), 3u);
  const train::LayerInside& layer = log.tests[0].inside->layers.at(0);
  EXPECT_EQ(layer.name, "rnn");
  EXPECT_EQ(layer.weights->largest, 0.5);
  EXPECT_EQ(layer.dead, 0.25);
  EXPECT_EQ(layer.gradient, (std::vector<double>{1e-3, 0.5}));
  EXPECT_FALSE(layer.updates.has_value());
  ASSERT_TRUE(log.divergence.has_value());
  EXPECT_TRUE(std::isnan(log.divergence->failed.loss));
  EXPECT_EQ(log.divergence->kept.step, 1);
  const auto signs = log.signs();
  ASSERT_EQ(signs.size(), 2u);
  EXPECT_EQ(signs[0].step, 1);
  EXPECT_EQ(signs[0].accuracy, 12.5);
  EXPECT_FALSE(signs[0].failed.has_value());
  EXPECT_EQ(signs[0].inside->layers.size(), 1u);
  EXPECT_EQ(signs[1].failed->step, 2);
  EXPECT_EQ(signs[1].accuracy, 12.5);
  EXPECT_TRUE(signs[1].inside->layers.empty());
}

TEST(MetricsLog, LinesOfTheFirstVersionHaveNoRateAndNoInside) {
  const MetricsLog log =
      read_metrics_log("{\"event\":\"step\",\"step\":1,\"loss\":2.5,\"grad_norm\":3}\n", "x");
  EXPECT_FALSE(log.steps[0].lr.has_value());
  EXPECT_TRUE(log.signs().empty());
}

TEST(MetricsLog, DamageNamesTheLine) {
  const auto error = [](const std::string& line) {
    return error_of<FormatError>([&] {
      read_metrics_log(
          "{\"event\":\"step\",\"step\":1,\"loss\":2.5,\"grad_norm\":3}\n" + line + "\n",
          "a/metrics.jsonl");
    });
  };
  EXPECT_EQ(error(R"({"event":"step","step":2,"loss":"x","grad_norm":1})"),
            "[metrics] a/metrics.jsonl, line 2: \"loss\" is not a number");
  EXPECT_NE(error("garbage"), "");
  EXPECT_NE(error("[]"), "");
  EXPECT_NE(error(R"({"event":"eval","step":1.5,"loss":1})"), "");
  EXPECT_NE(error(R"({"event":"eval","step":1,"loss":1,"inside":{"layers":[7]}})"), "");
  EXPECT_NE(error(R"({"event":"eval","step":1,"loss":1,"inside":[]})"), "");
  EXPECT_NE(error(R"({"event":"diverged","step":1,"loss":1,"grad_norm":1})"), "");
}

TEST(InsideJson, NumbersThatAreNotFiniteAreNull) {
  train::Inside inside;
  inside.rows = 2;
  inside.times = {1, 5};
  train::LayerInside layer;
  layer.name = "a \"quoted\" name";
  layer.moved = INFINITY;
  layer.gradient = {NAN, 0.5};
  inside.layers.push_back(layer);
  EXPECT_EQ(to_json(inside),
            R"({"rows":2,"update_steps":0,"times":[1,5],"layers":[{"name":"a \"quoted\" name",)"
            R"("moved":null,"gradient":[null,0.5]}]})");
}

}  // namespace
}  // namespace unroll::run
