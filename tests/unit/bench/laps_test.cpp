#include "bench/laps.h"

#include <gtest/gtest.h>

namespace unroll::bench {
namespace {

TEST(BenchLaps, BestAndMedian) {
  EXPECT_EQ(timing_of({}).runs, 0);
  const Timing odd = timing_of({3, 1, 8});
  EXPECT_EQ(odd.runs, 3);
  EXPECT_EQ(odd.best, 1);
  EXPECT_EQ(odd.median, 3);
  const Timing even = timing_of({8, 2, 4, 1});
  EXPECT_EQ(even.runs, 4);
  EXPECT_EQ(even.best, 1);
  EXPECT_EQ(even.median, 3);
}

TEST(BenchLaps, WhatAllButOneInAThousandDoNotExceed) {
  EXPECT_EQ(p999_of({}), 0);
  EXPECT_EQ(p999_of({5}), 5);
  std::vector<double> times;
  for (int i = 1000; i > 0; --i) times.push_back(i);
  EXPECT_EQ(p999_of(times), 999);
  times.push_back(5000);  // 999.999 of 1001 are no longer than 1000
  EXPECT_EQ(p999_of(times), 1000);
  for (int i = 1001; i < 2000; ++i) times.push_back(i);
  EXPECT_EQ(p999_of(times), 1998);
}

TEST(BenchLaps, WithoutTimeOneLapAfterWarmingUp) {
  Laps laps(0, {.stop = [] { return false; }});
  int count = 0;
  for (; !laps.done(); ++count) laps.lap();
  EXPECT_EQ(laps.result().runs, 1);
  EXPECT_GT(count, 1);
}

TEST(BenchLaps, StopsWhenAsked) {
  bool stop = false;
  Laps laps(1e9, {.stop = [&] { return stop; }});
  laps.lap();
  EXPECT_FALSE(laps.done());
  stop = true;
  EXPECT_TRUE(laps.done());
  EXPECT_EQ(laps.result().runs, 0);
}

}  // namespace
}  // namespace unroll::bench
