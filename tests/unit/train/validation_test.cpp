// Training with a validation part: best weights, early stopping, and a second training.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <vector>

#include "support/expect_error.h"
#include "support/tensors.h"
#include "support/three_parts.h"
#include "train/trainer.h"
#include "unit/train/trainer_bits.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

using data::Split;

/// All that a run tells, and the weights that were evaluated.
struct ValidationLog : Listener {
  struct Test {
    std::int64_t step;
    Split part;
    double loss;
    Bits weights;
    bool operator==(const Test&) const = default;
  };
  explicit ValidationLog(Trainer& of) : trainer(of) {}
  void step(const StepResult& s) override {
    steps.push_back({double(s.step), s.loss, s.lr, double(s.epoch)});
  }
  void evaluation(const StepResult& s, const Evaluation& e) override {
    tests.push_back({s.step, e.part, e.loss, bits_of(trainer)});
  }
  void refit(const StepResult& best, std::int64_t last) override { second = {best.step, last}; }
  bool stop() override { return trainer.last_step().step == stop_at; }

  Trainer& trainer;
  std::int64_t stop_at = 0;
  std::vector<std::vector<double>> steps;
  std::vector<Test> tests;
  std::vector<std::int64_t> second;
};

const ValidationLog::Test& best_of(const std::vector<ValidationLog::Test>& tests) {
  return *std::ranges::min_element(tests, {}, [](const ValidationLog::Test& t) {
    return t.part == Split::validation ? t.loss : HUGE_VAL;
  });
}

TEST(Validation, KeepsTheWeightsWithTheLowestLossAndTestsThemOnce) {
  Trainer trainer(test::three_parts_config(), test::three_parts());
  ValidationLog log(trainer);
  ASSERT_TRUE(trainer.run({&log}));
  ASSERT_EQ(log.tests.size(), 9u);
  for (std::size_t k = 0; k < 8; ++k) {
    EXPECT_EQ(log.tests[k].part, Split::validation);
    EXPECT_EQ(log.tests[k].step, 3 * (static_cast<std::int64_t>(k) + 1));
  }
  const ValidationLog::Test& best = best_of(log.tests);
  EXPECT_LT(best.step, 24);  // else this test shows nothing
  EXPECT_EQ(log.tests.back().part, Split::test);
  EXPECT_EQ(log.tests.back().step, best.step);
  EXPECT_EQ(log.tests.back().weights, best.weights);
  EXPECT_EQ(bits_of(trainer), best.weights);
  EXPECT_EQ(trainer.kept_step().step, best.step);
  EXPECT_EQ(trainer.last_step().step, 24);
  EXPECT_EQ(trainer.last_evaluation().part, Split::test);
  EXPECT_FALSE(trainer.last_evaluation().inside);
}

TEST(Validation, StopsEarly) {
  Config c = test::three_parts_config();
  Trainer whole(c, test::three_parts());
  ValidationLog all(whole);
  whole.run({&all});
  c.patience = 2;
  Trainer trainer(c, test::three_parts());
  ValidationLog log(trainer);
  ASSERT_TRUE(trainer.run({&log}));
  // The same, worked out from the losses of the whole run.
  double lowest = HUGE_VAL;
  std::int64_t since = 0, expected = 24;
  for (const ValidationLog::Test& t : all.tests) {
    since = t.loss < lowest ? 0 : since + 1;
    lowest = std::min(lowest, t.loss);
    if (since == 2) {
      expected = t.step;
      break;
    }
  }
  EXPECT_LT(expected, 24);
  EXPECT_EQ(trainer.last_step().step, expected);
  EXPECT_EQ(trainer.kept_step().step, expected - 6);
  for (std::size_t k = 0; k + 1 < log.tests.size(); ++k) EXPECT_TRUE(log.tests[k] == all.tests[k]);
  EXPECT_EQ(log.tests.back().weights, best_of(log.tests).weights);
}

TEST(Validation, TheTestPartChangesNoWeight) {
  for (const bool refit : {false, true}) {
    Config c = test::three_parts_config();
    c.patience = 2;
    c.refit = refit;
    Trainer one(c, test::three_parts(3)), other(c, test::three_parts(4));
    one.run({});
    other.run({});
    EXPECT_EQ(bits_of(one), bits_of(other));
    EXPECT_NE(one.last_evaluation().loss, other.last_evaluation().loss);
  }
}

TEST(Validation, WithoutSuchAPartTheTrainingPartIsWatched) {
  const auto source =
      std::make_shared<test::ThreeParts>(test::signs(40, 1), data::Sequences{}, test::signs(30, 3));
  Trainer trainer(test::three_parts_config(), source);
  ValidationLog log(trainer);
  ASSERT_TRUE(trainer.run({&log}));
  ASSERT_EQ(log.tests.size(), 9u);
  for (std::size_t k = 0; k < 8; ++k) EXPECT_EQ(log.tests[k].part, Split::train);
  EXPECT_EQ(log.tests.back().part, Split::test);
  EXPECT_EQ(log.tests.back().step, 24);
  EXPECT_EQ(log.tests.back().weights, log.tests[7].weights);
}

TEST(Validation, TheTestPartCanBeLeftUnread) {
  Config c = test::three_parts_config();
  c.leave_test = true;
  Trainer trainer(c, test::three_parts());
  ValidationLog log(trainer);
  ASSERT_TRUE(trainer.run({&log}));
  for (const ValidationLog::Test& t : log.tests) EXPECT_EQ(t.part, Split::validation);
  EXPECT_TRUE(log.tests.back() == best_of(log.tests));
}

TEST(Validation, PatienceWithoutThePartIsRefused) {
  const auto source =
      std::make_shared<test::ThreeParts>(test::signs(40, 1), data::Sequences{}, test::signs(30, 3));
  Config c = test::three_parts_config();
  c.patience = 2;
  EXPECT_EQ(test::error_of<ValueError>([&] { Trainer(c, source); }),
            "[patience] signs has no validation part; give one, as in --validate 0.15, or leave it "
            "out");
}

// The second training has the bits of a run on all samples from the start.
TEST(Refit, IsARunOnAllSamplesForTheBestNumberOfSteps) {
  Config c = test::three_parts_config();
  c.schedule = ScheduleKind::linear;
  c.patience = 2;
  c.refit = true;
  Trainer trainer(c, test::three_parts());
  ValidationLog log(trainer);
  ASSERT_TRUE(trainer.run({&log}));
  const ValidationLog::Test& best = best_of(log.tests);
  const std::int64_t first = best.step + 6;
  EXPECT_EQ(log.second, (std::vector<std::int64_t>{best.step, first + best.step}));
  EXPECT_EQ(trainer.last_step().step, first + best.step);
  EXPECT_EQ(trainer.kept_step().step, first + best.step);

  // The linear schedule is that of 24 steps, so the other run is stopped.
  Config plain = c;
  plain.patience = 0;
  plain.refit = false;
  Trainer other(plain, test::three_parts()->with_validation());
  ValidationLog expected(other);
  expected.stop_at = best.step;
  other.run({&expected});
  EXPECT_EQ(bits_of(trainer), bits_of(other));
  ASSERT_EQ(log.steps.size(), static_cast<std::size_t>(first + best.step));
  for (std::int64_t k = 0; k < best.step; ++k) {
    std::vector<double> step = log.steps[static_cast<std::size_t>(first + k)];
    step[0] -= static_cast<double>(first);
    EXPECT_EQ(step, expected.steps[static_cast<std::size_t>(k)]);
  }
  EXPECT_EQ(log.tests.back().part, Split::test);
  EXPECT_EQ(log.tests.back().weights, bits_of(trainer));
}

struct ValidatedCase {
  const char* name;
  void (*change)(Config&);
};
void PrintTo(const ValidatedCase& c, std::ostream* out) { *out << c.name; }

class ResumedValidation : public testing::TestWithParam<ValidatedCase> {};

TEST_P(ResumedValidation, FromEveryStepHasTheBitsOfAnUninterruptedRun) {
  Config c = test::three_parts_config();
  GetParam().change(c);
  Trainer whole(c, test::three_parts());
  ValidationLog expected(whole);
  whole.run({&expected});
  const std::int64_t last = whole.last_step().step;
  for (std::int64_t stop = 1; stop < last; ++stop) {
    SCOPED_TRACE(stop);
    Trainer first(c, test::three_parts());
    ValidationLog before(first);
    before.stop_at = stop;
    ASSERT_FALSE(first.run({&before}));
    const auto file = to_bytes(first.checkpoint());
    Trainer second(c, test::three_parts());
    second.resume(checkpoint_from(file, "file"));
    EXPECT_EQ(to_bytes(second.checkpoint()), file);
    ValidationLog after(second);
    ASSERT_TRUE(second.run({&after}));
    before.steps.insert(before.steps.end(), after.steps.begin(), after.steps.end());
    before.tests.insert(before.tests.end(), after.tests.begin(), after.tests.end());
    EXPECT_EQ(before.steps, expected.steps);
    EXPECT_TRUE(before.tests == expected.tests);
    EXPECT_EQ(bits_of(second), bits_of(whole));
    EXPECT_EQ(second.kept_step().step, whole.kept_step().step);
  }
}

constexpr ValidatedCase validated_cases[] = {
    {"Best", [](Config&) {}},
    {"Patience", [](Config& c) { c.patience = 2; }},
    {"Refit",
     [](Config& c) {
       c.patience = 2;
       c.refit = true;
     }},
    {"RefitOfAllSteps",
     [](Config& c) {
       c.patience = 20;
       c.refit = true;
       c.rng = Rng::torch;
       c.dropout = 0.25;
       c.layers = 2;
     }},
    {"Restarts",
     [](Config& c) {
       c.schedule = ScheduleKind::linear;
       c.patience = 3;
       c.restart_at = {8, 15};
     }},
    {"RestartsWithPlateau",
     [](Config& c) {
       c.schedule = ScheduleKind::plateau;
       c.gamma_every = 1;
       c.restart_at = {9};
     }},
    {"RefitWithPlateau",
     [](Config& c) {
       c.patience = 3;
       c.refit = true;
       c.schedule = ScheduleKind::plateau;
       c.gamma_every = 1;
       c.dtype = DType::f64;
     }},
};
INSTANTIATE_TEST_SUITE_P(Trainer, ResumedValidation, testing::ValuesIn(validated_cases),
                         [](const auto& test) { return test.param.name; });

TEST(Validation, ACheckpointOfARunWithoutItIsRefused) {
  Config c = test::three_parts_config();
  Trainer first(c, test::three_parts()->with_validation());
  ValidationLog log(first);
  log.stop_at = 2;
  first.run({&log});
  Trainer second(c, test::three_parts());
  EXPECT_NE(test::error_of<FormatError>([&] {
              second.resume(first.checkpoint());
            }).find("another validation part"),
            std::string::npos);
}

}  // namespace
}  // namespace unroll::train
