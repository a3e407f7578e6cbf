// The corners of the schedules; their numbers are in tests/golden.
#include "unroll/optim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/expect_error.h"
#include "unroll/core/error.h"

namespace unroll::optim {
namespace {

TEST(Schedule, ConstantIsOne) {
  EXPECT_EQ(constant_schedule()(0), 1);
  EXPECT_EQ(constant_schedule()(1'000'000), 1);
}

TEST(Schedule, StepFallsAfterEachStepSize) {
  const Schedule s = step_schedule(3, 0.5);
  EXPECT_EQ(s(2), 1);
  EXPECT_EQ(s(3), 0.5);
  EXPECT_EQ(s(8), 0.25);
}

TEST(Schedule, CosineFallsFromOneToLow) {
  const Schedule s = cosine_schedule(10, 0.1);
  EXPECT_EQ(s(0), 1);
  EXPECT_NEAR(s(5), 0.55, 1e-15);
  EXPECT_NEAR(s(10), 0.1, 1e-15);
}

TEST(Schedule, LinearStaysAtItsEnd) {
  const Schedule s = linear_schedule(0.1, 1, 5);
  EXPECT_EQ(s(0), 0.1);
  EXPECT_EQ(s(5), 1);
  EXPECT_EQ(s(500), 1);
}

TEST(Schedule, OneCycleIsFiniteForEveryShare) {
  for (const std::int64_t total : {1, 2, 3, 10, 100})
    for (const double share : {0.0, 0.01, 0.1, 0.3, 0.5, 1.0}) {
      const Schedule s = one_cycle_schedule(total, share);
      for (std::int64_t step = 0; step < total + 3; ++step) {
        EXPECT_GT(s(step), 0) << total << " " << share << " " << step;
        EXPECT_LE(s(step), 1) << total << " " << share << " " << step;
      }
    }
}

TEST(Schedule, OneCyclePeaksAndEndsLow) {
  const Schedule s = one_cycle_schedule(101, 10.0 / 101 + 1.0 / 101);
  EXPECT_NEAR(s(0), 1.0 / 25, 1e-15);
  EXPECT_NEAR(s(10), 1, 1e-12);
  EXPECT_NEAR(s(100), 1.0 / 25e4, 1e-15);
  EXPECT_EQ(s(200), s(100));
}

// The recipe: up over the first tenth of the steps, then down to 0 over the rest.
TEST(Schedule, WarmupLinear) {
  const Schedule s = warmup_linear_schedule(100);
  EXPECT_NEAR(s(0), 0.1, 1e-15);
  EXPECT_NEAR(s(9), 1, 1e-15);
  EXPECT_NEAR(s(55), 0.5, 1e-15);
  EXPECT_NEAR(s(99), 1.0 / 90, 1e-15);
  EXPECT_EQ(s(100), 0);
  EXPECT_EQ(s(1000), 0);
  EXPECT_EQ(warmup_linear_schedule(1)(0), 1);
}

TEST(Schedule, NoStepsAreRefused) {
  EXPECT_THROW(step_schedule(0, 0.5), ValueError);
  EXPECT_THROW(cosine_schedule(0), ValueError);
  EXPECT_THROW(linear_schedule(0, 1, 0), ValueError);
  EXPECT_THROW(one_cycle_schedule(-1), ValueError);
  EXPECT_THROW(warmup_linear_schedule(0), ValueError);
}

// Found when the schedule is made, not as a loss that is NaN some steps later.
TEST(Schedule, FactorsThatAreNotFiniteAreRefused) {
  EXPECT_EQ(test::error_of<ValueError>([] { exponential_schedule(NAN); }),
            "[schedule] gamma = nan, expected a finite number");
  EXPECT_THROW(step_schedule(1, NAN), ValueError);
  EXPECT_THROW(cosine_schedule(1, NAN), ValueError);
  EXPECT_THROW(linear_schedule(NAN, 1, 5), ValueError);
  EXPECT_THROW(linear_schedule(0, INFINITY, 5), ValueError);
  EXPECT_THROW(one_cycle_schedule(5, NAN), ValueError);
  EXPECT_EQ(test::error_of<ValueError>([] { one_cycle_schedule(5, 0.3, 0); }),
            "[schedule] div_factor = 0, expected a finite number above 0");
  EXPECT_THROW(one_cycle_schedule(5, 0.3, 25, NAN), ValueError);
  EXPECT_THROW(warmup_linear_schedule(5, NAN), ValueError);
}

}  // namespace
}  // namespace unroll::optim
