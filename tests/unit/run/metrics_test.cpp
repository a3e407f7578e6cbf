#include "run/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace unroll::run {
namespace {

using Json = nlohmann::json;

// Of an f32 run: 69.68192 is the shortest text of the f32 that 69.681922912597656 is exactly.
train::StepResult step_of(DType dtype = DType::f32) {
  return {.step = 7,
          .loss = 69.681922912597656,
          .grad_norm = 1101.4366023733623,
          .lr = 0.005,
          .epoch = 2,
          .dtype = dtype};
}

train::Evaluation evaluation() {
  return {.loss = 0.1,
          .metrics = {{.name = "accuracy", .value = 94.2, .correct = 942, .total = 1000}}};
}

TEST(Metrics, NumbersAreAsShortAsTheyRoundTrip) {
  EXPECT_EQ(metrics_line(step_of()),
            R"({"event":"step","step":7,"loss":69.68192,"grad_norm":1101.4366023733623,)"
            R"("epoch":2,"lr":0.005})");
  EXPECT_EQ(metrics_line(step_of(), evaluation(), "mnist"),
            R"({"event":"eval","step":7,"loss":0.1,"accuracy":94.2,"correct":942,"total":1000,)"
            R"("train_loss":69.68192,"epoch":2,"lr":0.005,"dataset":"mnist"})");
  EXPECT_EQ(Json::parse(metrics_line(step_of(DType::f64))).at("loss"), 69.681922912597656);
  // Also where an f64 is no f32: the mean over chunks, for example.
  train::StepResult mean = step_of();
  mean.loss = 0.1;
  EXPECT_EQ(Json::parse(metrics_line(mean)).at("loss"), 0.1);
}

TEST(Metrics, EndlessDataHasNoEpochs) {
  train::StepResult step = step_of();
  step.epoch = 0;
  EXPECT_EQ(metrics_line(step),
            R"({"event":"step","step":7,"loss":69.68192,"grad_norm":1101.4366023733623,)"
            R"("lr":0.005})");
}

TEST(Metrics, JsonHasNoNumberForWhatIsNone) {
  train::StepResult step = step_of();
  step.loss = NAN;
  step.grad_norm = HUGE_VAL;
  const Json line = Json::parse(metrics_line(step));
  EXPECT_TRUE(line.at("loss").is_null());
  EXPECT_TRUE(line.at("grad_norm").is_null());
}

TEST(Metrics, LinesOfVersion010SayTheSame) {
  const std::string again =
      metrics_line(step_of()) + "\n" + metrics_line(step_of(), evaluation(), "mnist") + "\n";
  const auto other = [&](const std::string& step, const std::string& eval) {
    const auto found = first_other_line(step + "\n" + eval + "\n", again);
    return found ? found->number : 0;
  };
  const std::string step =
      R"({"event":"step","step":7,"loss":69.681922912597656,"grad_norm":1101.4366023733623})";
  const std::string eval =
      R"({"event":"eval","step":7,"loss":0.10000000000000001,"accuracy":94.200000000000003,)"
      R"("correct":942,"total":1000,"train_loss":69.681922912597656,"dataset":"mnist"})";
  EXPECT_EQ(other(step, eval), 0);
  const auto changed = [](std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
  };
  // The next f32, the next f64, another whole number, another name, one key less, one more.
  EXPECT_EQ(other(changed(step, "69.681922912597656", "69.681930541992188"), eval), 1);
  EXPECT_EQ(other(changed(step, "1101.4366023733623", "1101.4366023733625"), eval), 1);
  EXPECT_EQ(other(changed(step, "69.681922912597656", "69.68192291259"), eval), 1);
  EXPECT_EQ(other(step, changed(eval, "94.200000000000003", "94.200000000000017")), 2);
  EXPECT_EQ(other(step, changed(eval, "942", "943")), 2);
  EXPECT_EQ(other(step, changed(eval, "mnist", "kmnist")), 2);
  EXPECT_EQ(other(step, changed(eval, R"("total":1000,)", "")), 2);
  EXPECT_EQ(other(step, changed(eval, R"("total")", R"("more":1,"total")")), 2);
  EXPECT_EQ(other(step, "no JSON"), 2);
}

TEST(Metrics, AMissingLineIsAnother) {
  const std::string line = metrics_line(step_of()) + "\n";
  EXPECT_FALSE(first_other_line(line, line));
  EXPECT_FALSE(first_other_line("", ""));
  EXPECT_EQ(first_other_line("", line)->written, "");
  EXPECT_EQ(first_other_line(line + line, line)->number, 2);
  EXPECT_EQ(first_other_line(line + line, line)->again, "");
}

}  // namespace
}  // namespace unroll::run
