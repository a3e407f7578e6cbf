#include "core/float_environment.h"

#include <gtest/gtest.h>

#include <cfenv>
#include <limits>

#include "core/parallel.h"
#include "support/flush_to_zero.h"

namespace unroll {
namespace {

// volatile: computed here and now, not by the compiler.
bool keeps_subnormals() {
  volatile float smallest = std::numeric_limits<float>::min();
  volatile float half = smallest * 0.5f;
  volatile float back = half * 2.0f;
  return half != 0 && back == smallest;
}

bool rounds_to_nearest() {
  volatile float tiny = 1e-10f, one = 1;
  volatile float up = one + tiny, down = -one - tiny;
  return up == 1 && down == -1;
}

TEST(FloatEnvironment, KeepsSubnormalsWhateverTheCallerSet) {
  const test::FlushToZero flush;
  EXPECT_FALSE(keeps_subnormals());
  {
    const FloatEnvironment environment;
    EXPECT_TRUE(keeps_subnormals());
  }
  EXPECT_FALSE(keeps_subnormals());  // the caller's mode is back
}

TEST(FloatEnvironment, RoundsToNearestWhateverTheCallerSet) {
  std::fesetround(FE_UPWARD);
  EXPECT_FALSE(rounds_to_nearest());
  {
    const FloatEnvironment environment;
    EXPECT_TRUE(rounds_to_nearest());
  }
  EXPECT_FALSE(rounds_to_nearest());
  std::fesetround(FE_TONEAREST);
}

TEST(FloatEnvironment, KeepsTheExceptionFlagsOfOrdinaryUse) {
  std::feclearexcept(FE_ALL_EXCEPT);
  {
    const FloatEnvironment environment;
    volatile float zero = 0, one = 1;
    volatile float infinite = one / zero;
    EXPECT_GT(infinite, 0);
  }
  EXPECT_TRUE(std::fetestexcept(FE_DIVBYZERO));
}

TEST(FloatEnvironment, HoldsInTasksOnEveryThread) {
  const test::FlushToZero flush;
  bool kept[64] = {};
  parallel(64, [&](std::size_t i) { kept[i] = keeps_subnormals(); });
  for (const bool k : kept) EXPECT_TRUE(k);
  EXPECT_FALSE(keeps_subnormals());
}

}  // namespace
}  // namespace unroll
