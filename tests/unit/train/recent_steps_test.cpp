#include "train/recent_steps.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace unroll::train {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

RecentSteps after(int steps, double loss, double norm) {
  RecentSteps recent;
  for (int s = 1; s <= steps; ++s) recent.add({s, loss, norm});
  return recent;
}

TEST(Trial01, AThousandTimesTheLargestIsStillInRange) {
  const RecentSteps recent = after(10, 2, 0.5);
  EXPECT_TRUE(recent.holds_loss(2000));
  EXPECT_FALSE(recent.holds_loss(2001));
  EXPECT_TRUE(recent.holds_norm(500));
  EXPECT_FALSE(recent.holds_norm(501));
}

TEST(Trial01, WhatIsNotFiniteIsNeverInRange) {
  for (const RecentSteps& recent : {RecentSteps(), after(20, 2, 0.5)})
    for (const double bad : {kInfinity, -kInfinity, std::nan("")}) {
      EXPECT_FALSE(recent.holds_loss(bad)) << bad;
      EXPECT_FALSE(recent.holds_norm(bad)) << bad;
    }
}

// Gradients may be 0: all units of the network may be off.
TEST(Trial01, NothingIsFarFromNothing) { EXPECT_TRUE(after(20, 2, 0).holds_norm(1e30)); }

// A high rate may make the first losses leap, and the network learn all the same.
TEST(Trial01, TheFirstTenStepsMakeTheRange) {
  EXPECT_TRUE(RecentSteps().holds_loss(1e30));
  EXPECT_TRUE(after(9, 1, 1).holds_loss(1e30));
  EXPECT_FALSE(after(10, 1, 1).holds_loss(1e30));
}

// With batches of one sample, a late loss may be far above the last 100. The first steps show how
// large a loss is before the network has learnt anything.
TEST(Trial01, TheFirstStepsStayInTheRange) {
  RecentSteps recent = after(100, 2, 1);
  for (int s = 101; s <= 300; ++s) recent.add({s, 1e-4, 1e-3});
  EXPECT_TRUE(recent.holds_loss(2000));
  EXPECT_FALSE(recent.holds_loss(2001));
  EXPECT_FALSE(recent.holds_norm(1001));
}

TEST(Trial01, TheRangeIsOfTheLastHundred) {
  RecentSteps recent = after(100, 1, 1);
  recent.add({101, 50, 70});
  for (int s = 102; s <= 200; ++s) recent.add({s, 1, 1});
  EXPECT_TRUE(recent.holds_loss(50000));
  EXPECT_TRUE(recent.holds_norm(70000));
  recent.add({201, 1, 1});
  EXPECT_FALSE(recent.holds_loss(1001));
  EXPECT_FALSE(recent.holds_norm(1001));
}

TEST(Trial01, StepsOutOfRangeAreCountedAndDoNotWidenIt) {
  RecentSteps recent = after(20, 1, 1);
  for (int k = 1; k <= 3; ++k) {
    recent.add({20 + k, 1e6, 1e9});
    EXPECT_EQ(recent.outside(), k);
  }
  EXPECT_FALSE(recent.holds_loss(1001));
  recent.add({24, 1, 1});
  EXPECT_EQ(recent.outside(), 0);
}

TEST(Trial01, GoodIsTheLowestQuarter) {
  RecentSteps recent;
  for (int s = 1; s <= 100; ++s) recent.add({s, static_cast<double>((s * 37 - 1) % 100 + 1), 1});
  // 1 to 100 in mixed order: a quarter is at most 25. Then nine that make the newest mean low.
  for (int s = 101; s <= 109; ++s) recent.add({s, 40, 1});
  EXPECT_TRUE(recent.is_good(20));
  EXPECT_FALSE(recent.is_good(39));
  EXPECT_FALSE(recent.is_good(std::nan("")));
}

// A small batch has a single low loss among high ones.
TEST(Trial01, ALowLossAmongHighOnesIsNotGood) {
  RecentSteps recent = after(100, 1, 1);
  for (int s = 101; s <= 109; ++s) recent.add({s, 5, 1});
  EXPECT_FALSE(recent.is_good(0.01));
  for (int s = 110; s <= 118; ++s) recent.add({s, 0.9, 1});
  EXPECT_TRUE(recent.is_good(0.01));
}

TEST(Trial01, GoodFromTheFirstStepsOn) {
  EXPECT_TRUE(RecentSteps().is_good(7));
  EXPECT_TRUE(after(1, 2, 1).is_good(2));
  EXPECT_FALSE(after(1, 2, 1).is_good(2.5));
}

TEST(Trial01, ItsStateIsAllOfIt) {
  RecentSteps recent;
  for (int s = 1; s <= 130; ++s) recent.add({s, 1 + 1.0 / s, 2 + std::sin(s)});
  recent.add({131, 1e9, 1});
  const RecentSteps again(recent.state());
  EXPECT_EQ(again.outside(), 1);
  for (const double x : {1.007, 1.0075, 1.008, 1.01, 2.0, 1999.0, 2001.0, 2990.0, 3010.0}) {
    EXPECT_EQ(again.holds_loss(x), recent.holds_loss(x)) << x;
    EXPECT_EQ(again.holds_norm(x), recent.holds_norm(x)) << x;
    EXPECT_EQ(again.is_good(x), recent.is_good(x)) << x;
  }
}

}  // namespace
}  // namespace unroll::train
