// Schedules that begin anew (Config::restart_at), and runs that get more steps.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "support/expect_error.h"
#include "support/three_parts.h"
#include "train/trainer.h"
#include "unit/train/trainer_bits.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

using Numbers = std::vector<double>;

/// Each step and each evaluation as numbers. Stops after a step; 0: never.
struct NumbersLog : Listener {
  explicit NumbersLog(std::int64_t last = 0) : stop_at(last) {}
  void step(const StepResult& s) override {
    now = s.step;
    steps.push_back(
        {static_cast<double>(s.step), s.loss, s.grad_norm, s.lr, static_cast<double>(s.epoch)});
  }
  void evaluation(const StepResult& s, const Evaluation& e) override {
    tests.push_back({static_cast<double>(s.step), static_cast<double>(e.part), e.loss});
  }
  bool stop() override { return now == stop_at; }

  std::int64_t stop_at, now = 0;
  std::vector<Numbers> steps, tests;
};

TEST(Restart, TheScheduleBeginsAnew) {
  Config c = test::three_parts_config();
  c.schedule = ScheduleKind::cosine;
  c.restart_at = {10, 16};
  Trainer trainer(c, test::three_parts());
  EXPECT_EQ(trainer.steps(), 24);
  NumbersLog log;
  ASSERT_TRUE(trainer.run({&log}));
  ASSERT_EQ(log.steps.size(), 24u);
  // From 1 towards 0, along half a period of the cosine, over 10, 6 and 8 steps.
  for (std::int64_t step = 1; step <= 24; ++step) {
    const std::int64_t first = step > 16 ? 16 : step > 10 ? 10 : 0;
    const double length = step > 16 ? 8 : step > 10 ? 6 : 10;
    const double part = static_cast<double>(step - first - 1) / length;
    EXPECT_NEAR(log.steps[static_cast<std::size_t>(step - 1)][3],
                0.1 * (1 + std::cos(std::numbers::pi * part)) / 2, 1e-12)
        << step;
  }
  // The last step of each part is evaluated, and the steps are counted from there.
  Numbers evaluated;
  for (const Numbers& test : log.tests) evaluated.push_back(test[0]);
  evaluated.pop_back();  // the test part, after the best step
  EXPECT_EQ(evaluated, (Numbers{3, 6, 9, 10, 13, 16, 19, 22, 24}));
}

TEST(Restart, ThePatienceIsThatOfOnePart) {
  Config c = test::three_parts_config();
  c.restart_at = {9};
  Trainer whole(c, test::three_parts());
  NumbersLog all;
  whole.run({&all});
  c.patience = 3;
  Trainer trainer(c, test::three_parts());
  NumbersLog log;
  ASSERT_TRUE(trainer.run({&log}));
  // The same, worked out from the losses of the whole run.
  double lowest = HUGE_VAL;
  int since = 0;
  double expected = 24;
  for (std::size_t k = 0; k + 1 < all.tests.size(); ++k) {
    const double step = all.tests[k][0], loss = all.tests[k][2];
    since = loss < lowest ? 0 : since + 1;
    lowest = std::min(lowest, loss);
    if (step == 9) since = 0;
    if (since < 3) continue;
    expected = step;
    break;
  }
  EXPECT_EQ(log.steps.back()[0], expected);
  EXPECT_GT(expected, 12);  // where it would stop if it counted on
}

struct ExtendedCase {
  const char* name;
  void (*change)(Config&);
};
void PrintTo(const ExtendedCase& c, std::ostream* out) { *out << c.name; }

class Extended : public testing::TestWithParam<ExtendedCase> {};

// A run of 14 steps stops anywhere and goes on as one of 24 steps, and the 14 are its first part.
TEST_P(Extended, HasTheBitsOfARunThatKnewItFromTheStart) {
  Config first = test::three_parts_config();
  GetParam().change(first);
  Config longer = first;
  first.steps = 14;
  longer.restart_at.push_back(14);
  Trainer whole(longer, test::three_parts());
  NumbersLog expected;
  ASSERT_TRUE(whole.run({&expected}));
  for (const std::int64_t stop : {1, 6, 10, 13}) {
    SCOPED_TRACE(stop);
    Trainer before(first, test::three_parts());
    NumbersLog log(stop);
    ASSERT_FALSE(before.run({&log}));
    Trainer after(longer, test::three_parts());
    after.resume(checkpoint_from(to_bytes(before.checkpoint()), "file"));
    log.stop_at = 0;
    ASSERT_TRUE(after.run({&log}));
    EXPECT_EQ(log.steps, expected.steps);
    EXPECT_EQ(log.tests, expected.tests);
    EXPECT_EQ(bits_of(after), bits_of(whole));
    EXPECT_EQ(after.kept_step().step, whole.kept_step().step);
  }
}

constexpr ExtendedCase extended_cases[] = {
    {"Linear", [](Config& c) { c.schedule = ScheduleKind::linear; }},
    {"Plateau",
     [](Config& c) {
       c.schedule = ScheduleKind::plateau;
       c.gamma_every = 1;
     }},
    {"OneCycleTwice",
     [](Config& c) {
       c.schedule = ScheduleKind::one_cycle;
       c.restart_at = {5};
     }},
    {"TorchsNumbers",
     [](Config& c) {
       c.rng = Rng::torch;
       c.dropout = 0.25;
       c.layers = 2;
     }},
};
INSTANTIATE_TEST_SUITE_P(Restart, Extended, testing::ValuesIn(extended_cases),
                         [](const auto& test) { return test.param.name; });

TEST(Restart, StepsThatMakeNoSenseAreRefused) {
  const auto refusal = [](auto change) {
    Config c = test::three_parts_config();
    change(c);
    return test::error_of<ValueError>([&] { validate(c); });
  };
  for (const std::vector<std::int64_t>& bad :
       {std::vector<std::int64_t>{24}, {0}, {5, 5}, {7, 3}, {-1}})
    EXPECT_NE(refusal([&](Config& c) {
                c.restart_at = bad;
              }).find("expected ascending steps from 1 to 23, before the last one"),
              std::string::npos);
  EXPECT_EQ(refusal([](Config& c) {
              c.restart_at = {2};
              c.epochs = 3;
            }),
            "[restart-at] with --epochs; give --steps instead of them");
  EXPECT_EQ(refusal([](Config& c) {
              c.restart_at = {2};
              c.patience = 3;
              c.validate = "0.15";
              c.refit = true;
            }),
            "[restart-at] with --refit, which trains twice; leave one of both out");
}

}  // namespace
}  // namespace unroll::train
