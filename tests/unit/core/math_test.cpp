// The vector functions in f32, on single numbers: against the C library's in double, which is exact
// to far more bits than f32 has. What f64 gives is in numerics_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "support/scalar_math.h"

namespace unroll {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

/// |got - expected| in units in the last place of expected, as a normal number.
double ulps(float got, double expected) {
  const auto nearest = std::max(std::abs(static_cast<float>(expected)), 0x1p-126f);
  const double unit = double{std::nextafter(nearest, infinity)} - double{nearest};
  return std::abs(double{got} - expected) / unit;
}

/// The largest error over numbers of either sign, of all exponents up to that of `limit`.
template <class F, class G>
double largest_error(float limit, F f, G exact) {
  const auto last = std::bit_cast<std::uint32_t>(limit);
  double largest = 0;
  // A prime, so that the fractions differ from one exponent to the next.
  for (std::uint32_t bits = 0; bits <= last; bits += 2003)
    for (const float sign : {1.0f, -1.0f}) {
      const float x = sign * std::bit_cast<float>(bits);
      const double error = ulps(f(x), exact(double{x}));
      if (!(error <= largest)) largest = error;  // a NaN counts as largest
    }
  return largest;
}

double exact_sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

TEST(Math, F32TanhIsAccurate) {
  const auto f = [](float x) { return test::scalar_tanh(x); };
  const auto exact = [](double x) { return std::tanh(x); };
  EXPECT_LT(largest_error(30, f, exact), 2.5);
}

TEST(Math, F32SigmoidIsAccurate) {
  const auto f = [](float x) { return test::scalar_sigmoid(x); };
  // Down to where it says that it ends.
  EXPECT_LT(largest_error(87, f, exact_sigmoid), 3);
}

TEST(Math, F32ExpIsAccurate) {
  const auto f = [](float x) { return test::scalar_exp(x); };
  const auto exact = [](double x) { return std::exp(x); };
  EXPECT_LT(largest_error(87, f, exact), 3);
}

TEST(Math, F64SigmoidIsAccurate) {
  double largest = 0;
  for (int i = -70000; i <= 70000; ++i) {
    const double x = 0.00997 * i;
    const long double expected = 1 / (1 + std::exp(-static_cast<long double>(x)));
    const long double error =
        std::abs(static_cast<long double>(test::scalar_sigmoid(x)) - expected) / expected;
    if (!(error <= largest)) largest = static_cast<double>(error);
  }
  EXPECT_LT(largest, 4 * 0x1p-52);
}

TEST(Math, KnownValues) {
  EXPECT_EQ(test::scalar_sigmoid(0.0f), 0.5f);
  EXPECT_EQ(test::scalar_sigmoid(0.0), 0.5);
  EXPECT_NEAR(test::scalar_sigmoid(1.0), 0.731058578630004879251, 1e-15);
  EXPECT_NEAR(test::scalar_sigmoid(-2.0), 0.119202922022117556, 1e-16);
  EXPECT_NEAR(test::scalar_tanh(0.5f), 4.62117157260009758e-1, 6e-8);
}

TEST(Math, LimitsOfTheRanges) {
  for (const float x : {20.0f, 100.0f, 1e30f, infinity}) {
    EXPECT_EQ(test::scalar_sigmoid(x), 1.0f) << x;
    EXPECT_EQ(test::scalar_tanh(x), 1.0f) << x;
    EXPECT_EQ(test::scalar_tanh(-x), -1.0f) << x;
  }
  for (const float x : {-88.0f, -1e30f, -infinity}) {
    EXPECT_GT(test::scalar_sigmoid(x), 0.0f) << x;
    EXPECT_LT(test::scalar_sigmoid(x), 2e-38f) << x;
  }
  for (const double x : {40.0, 1e300, double{infinity}})
    EXPECT_EQ(test::scalar_sigmoid(x), 1.0) << x;
  EXPECT_EQ(test::scalar_sigmoid(-double{infinity}), 0.0);
  EXPECT_EQ(test::scalar_tanh(std::numeric_limits<float>::denorm_min()),
            std::numeric_limits<float>::denorm_min());
}

TEST(Math, NeverBeyondOneWithTheSignAndNan) {
  for (std::uint32_t bits = 0; bits < 0x7f800000u; bits += 4001) {
    const float x = std::bit_cast<float>(bits);
    ASSERT_LE(test::scalar_tanh(x), 1.0f) << x;
    ASSERT_GE(test::scalar_tanh(-x), -1.0f) << x;
    ASSERT_FALSE(std::signbit(test::scalar_tanh(x))) << x;
    ASSERT_TRUE(std::signbit(test::scalar_tanh(-x))) << x;
    ASSERT_LE(test::scalar_sigmoid(x), 1.0f) << x;
    ASSERT_GE(test::scalar_sigmoid(-x), 0.0f) << x;
  }
  EXPECT_TRUE(std::signbit(test::scalar_tanh(-0.0f)));
  EXPECT_TRUE(std::isnan(test::scalar_tanh(nan_value)));
  EXPECT_TRUE(std::isnan(test::scalar_sigmoid(nan_value)));
  EXPECT_TRUE(std::isnan(test::scalar_sigmoid(double{nan_value})));
}

}  // namespace
}  // namespace unroll
