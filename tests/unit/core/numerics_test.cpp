// The elementary functions against values of Python's decimal module (60 digits) and against the C
// library's in long double, which rounds 11 bits later.
#include "core/numerics.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

namespace unroll {
namespace {

constexpr double f64_infinity = std::numeric_limits<double>::infinity();
constexpr double f64_nan = std::numeric_limits<double>::quiet_NaN();

/// |got - expected| in units in the last place of expected.
double f64_ulps(double got, long double expected) {
  if (got == static_cast<double>(expected)) return 0;
  const double magnitude = std::abs(static_cast<double>(expected));
  const double unit = std::nextafter(magnitude, f64_infinity) - magnitude;
  return static_cast<double>(std::abs(static_cast<long double>(got) - expected) /
                             static_cast<long double>(unit));
}

/// The largest error over values spread evenly over [low, high].
template <class F, class G>
double largest_f64_error(double low, double high, F f, G exact) {
  constexpr int count = 20000;
  double largest = 0;
  for (int i = 0; i < count; ++i) {
    const double x = low + (high - low) * ((i + 0.37) / count);
    const double error = f64_ulps(f(x), exact(static_cast<long double>(x)));
    if (!(error <= largest)) largest = error;  // a NaN counts as largest
  }
  return largest;
}

constexpr auto long_exp = [](long double x) { return std::exp(x); };
constexpr auto long_log = [](long double x) { return std::log(x); };
constexpr auto long_log1p = [](long double x) { return std::log1p(x); };
constexpr auto long_tanh = [](long double x) { return std::tanh(x); };
constexpr auto long_sin = [](long double x) { return std::sin(x); };
constexpr auto long_cos = [](long double x) { return std::cos(x); };

TEST(Numerics, KnownValues) {
  struct Known {
    double got, expected;
  };
  const Known table[] = {
      {numerics::exp(1), 2.71828182845904523536},
      {numerics::exp(-1), 3.67879441171442321596e-1},
      {numerics::exp(0.5), 1.64872127070012814685},
      {numerics::exp(10), 2.20264657948067165170e+4},
      {numerics::exp(-20), 2.06115362243855782797e-9},
      {numerics::exp(700), 1.01423205473500450946e+304},
      {numerics::exp(-700), 9.85967654375977085671e-305},
      {numerics::log(2), 6.93147180559945309417e-1},
      {numerics::log(10), 2.30258509299404568402},
      {numerics::log(0.1), -2.30258509299404562851},  // of the double nearest to 0.1
      {numerics::log(1e-300), -6.90775527898213705180e+2},
      {numerics::log(0.999), -1.00050033358353438921e-3},
      {numerics::log1p(1), 6.93147180559945309417e-1},
      {numerics::log1p(1e-10), 9.99999999950000036436e-11},
      {numerics::log1p(-0.5), -6.93147180559945309417e-1},
      {numerics::log1p(-0.001), -1.00050033358353352098e-3},
      {numerics::tanh(0.1), 9.96679946249558226143e-2},
      {numerics::tanh(0.5), 4.62117157260009758502e-1},
      {numerics::tanh(-1), -7.61594155955764888119e-1},
      {numerics::tanh(0.625), 5.54599722349382293999e-1},
      {numerics::tanh(3), 9.95054753686730451332e-1},
      {numerics::tanh(10), 9.99999995877692763620e-1},
      {numerics::sin(1), 8.41470984807896506653e-1},
      {numerics::sin(-2), -9.09297426825681695396e-1},
      {numerics::sin(3), 1.41120008059867222101e-1},
      {numerics::sin(100), -5.06365641109758797875e-1},
      {numerics::cos(1), 5.40302305868139717401e-1},
      {numerics::cos(-2), -4.16146836547142386998e-1},
      {numerics::cos(3), -9.89992496600445457272e-1},
      {numerics::cos(100), 8.62318872287683934728e-1},
      {numerics::pow(2, 0.5), 1.41421356237309504880},
      {numerics::pow(0.9, 12), 2.82429536481000083616e-1},  // of the double nearest to 0.9
      {numerics::pow(10, -3), 1e-3},
      {numerics::pow(0.5, 2.5), 1.76776695296636881100e-1},
      {numerics::pow(1.5, -1.25), 6.02401335739896554641e-1},
  };
  for (const auto& [got, expected] : table)
    EXPECT_LE(f64_ulps(got, static_cast<long double>(expected)), 4) << got << " " << expected;
  EXPECT_NEAR(numerics::pow(0.999, 1000), 3.67695424770963717721e-1, 1200 * 0x1p-54);
}

TEST(Numerics, ExactWhereTheResultIs) {
  EXPECT_EQ(numerics::exp(0), 1);
  EXPECT_EQ(numerics::log(1), 0);
  EXPECT_EQ(numerics::pow(2, 10), 1024);
  EXPECT_EQ(numerics::pow(7, 0), 1);
  EXPECT_EQ(numerics::pow(0, 0), 1);
  EXPECT_EQ(numerics::pow(0, 3), 0);
  EXPECT_EQ(numerics::pow(0, 0.5), 0);
  EXPECT_EQ(numerics::pow(3, -1), 1.0 / 3);
  EXPECT_EQ(numerics::cos(0), 1);
  EXPECT_EQ(numerics::tanh(40), 1);
  EXPECT_EQ(numerics::tanh(-40), -1);
}

TEST(Numerics, ExpIsAccurate) {
  EXPECT_LT(largest_f64_error(-1, 1, &numerics::exp, long_exp), 4);
  EXPECT_LT(largest_f64_error(-708, 709.7, &numerics::exp, long_exp), 4);
  EXPECT_LT(largest_f64_error(-745.1, -708, &numerics::exp, long_exp), 4);  // subnormal results
}

TEST(Numerics, LogIsAccurate) {
  EXPECT_LT(largest_f64_error(1e-3, 2, &numerics::log, long_log), 4);
  EXPECT_LT(largest_f64_error(0.999, 1.001, &numerics::log, long_log), 4);
  EXPECT_LT(largest_f64_error(1, 1e6, &numerics::log, long_log), 4);
  EXPECT_LT(largest_f64_error(0, 1e-307, &numerics::log, long_log), 4);  // subnormals among them
  EXPECT_LT(largest_f64_error(1e300, 1.7e308, &numerics::log, long_log), 4);
}

TEST(Numerics, Log1pIsAccurate) {
  EXPECT_LT(largest_f64_error(-0.999, 2, &numerics::log1p, long_log1p), 4);
  EXPECT_LT(largest_f64_error(-1e-3, 1e-3, &numerics::log1p, long_log1p), 4);
  EXPECT_LT(largest_f64_error(-1e-15, 1e-15, &numerics::log1p, long_log1p), 4);
  EXPECT_LT(largest_f64_error(0, 1e300, &numerics::log1p, long_log1p), 4);
}

TEST(Numerics, TanhIsAccurate) {
  EXPECT_LT(largest_f64_error(-1, 1, &numerics::tanh, long_tanh), 4);
  EXPECT_LT(largest_f64_error(-20, 20, &numerics::tanh, long_tanh), 4);
  EXPECT_LT(largest_f64_error(0.62, 0.63, &numerics::tanh, long_tanh),
            4);  // where two formulas meet
  EXPECT_LT(largest_f64_error(-1e-300, 1e-300, &numerics::tanh, long_tanh), 4);
}

TEST(Numerics, SinAndCosAreAccurate) {
  for (const double range : {0.8, 6.3, 100.0, 1e4, 1e8}) {
    EXPECT_LT(largest_f64_error(-range, range, &numerics::sin, long_sin), 4) << range;
    EXPECT_LT(largest_f64_error(-range, range, &numerics::cos, long_cos), 4) << range;
  }
  for (int k = 1; k < 30'000'000; k += 1 + k / 50) {
    const double x = k * std::numbers::pi;
    ASSERT_LE(std::abs(static_cast<long double>(numerics::sin(x)) -
                       std::sin(static_cast<long double>(x))),
              1e-31 * x + 0x1p-50L * std::abs(std::sin(static_cast<long double>(x))))
        << k;
  }
}

TEST(Numerics, PowIsAsAccurateAsItSays) {
  for (const double y : {0.5, -0.5, 2.5, 10.3, 100.5}) {
    const auto exact = [y](long double x) { return std::pow(x, static_cast<long double>(y)); };
    const double log_range = y * std::log(100.0);
    EXPECT_LT(largest_f64_error(
                  0.01, 10, [y](double x) { return numerics::pow(x, y); }, exact),
              4 + 1.5 * std::abs(log_range))
        << y;
  }
  for (const double y : {1.0, 2.0, 3.0, 12.0, 1000.0, 1e5, -3.0, -100.0}) {
    const auto exact = [y](long double x) { return std::pow(x, static_cast<long double>(y)); };
    EXPECT_LT(largest_f64_error(
                  0.999, 1.001, [y](double x) { return numerics::pow(x, y); }, exact),
              0.5 + 1.2 * std::abs(y))
        << y;
  }
}

// Not known from outside, but the promise itself: whoever changes a bit raises the revision.
TEST(Numerics, BitsAreThoseOfTheRevision) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  const auto add = [&hash](double x) {
    hash = (hash ^ std::bit_cast<std::uint64_t>(x)) * 0x100000001b3;
  };
  for (int i = 1; i < 5000; ++i) {
    const double x = 0.004 * i;
    for (const auto f : {&numerics::exp, &numerics::log, &numerics::log1p, &numerics::tanh,
                         &numerics::sin, &numerics::cos})
      add(f(x));
    add(numerics::exp(-x));
    add(numerics::tanh(-0.1 * x));
    add(numerics::pow(x, 0.3));
    add(numerics::pow(1 - 1e-3 * x, i));
  }
  ASSERT_EQ(numerics::revision, 5);
  EXPECT_EQ(hash, 0xa757a14209db9e0du);
}

TEST(Numerics, LimitsOfTheRanges) {
  EXPECT_EQ(numerics::exp(f64_infinity), f64_infinity);
  EXPECT_EQ(numerics::exp(-f64_infinity), 0);
  EXPECT_EQ(numerics::exp(709.79), f64_infinity);
  EXPECT_LT(numerics::exp(709.78), f64_infinity);
  EXPECT_EQ(numerics::exp(1e308), f64_infinity);
  EXPECT_EQ(numerics::exp(-745.14), 0);  // below half of the smallest number
  EXPECT_EQ(numerics::exp(-745.13), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(numerics::log(0), -f64_infinity);
  EXPECT_EQ(numerics::log(-0.0), -f64_infinity);
  EXPECT_EQ(numerics::log(f64_infinity), f64_infinity);
  EXPECT_EQ(numerics::log1p(-1), -f64_infinity);
  EXPECT_EQ(numerics::log1p(f64_infinity), f64_infinity);
  EXPECT_EQ(numerics::tanh(f64_infinity), 1);
  EXPECT_EQ(numerics::tanh(-f64_infinity), -1);
  EXPECT_EQ(numerics::tanh(std::numeric_limits<double>::denorm_min()),
            std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(numerics::pow(0.5, 1e6), 0);
  EXPECT_EQ(numerics::pow(2, 1e6), f64_infinity);
}

TEST(Numerics, SignOfZeroIsKept) {
  EXPECT_TRUE(std::signbit(numerics::tanh(-0.0)));
  EXPECT_TRUE(std::signbit(numerics::sin(-0.0)));
  EXPECT_TRUE(std::signbit(numerics::log1p(-0.0)));
}

TEST(Numerics, NanGivesNanAndSoDoesWhatIsUndefined) {
  for (const auto f : {&numerics::exp, &numerics::log, &numerics::log1p, &numerics::tanh,
                       &numerics::sin, &numerics::cos})
    EXPECT_TRUE(std::isnan(f(f64_nan)));
  EXPECT_TRUE(std::isnan(numerics::pow(f64_nan, 2)));
  EXPECT_TRUE(std::isnan(numerics::pow(2, f64_nan)));
  EXPECT_TRUE(std::isnan(numerics::log(-1)));
  EXPECT_TRUE(std::isnan(numerics::log(-f64_infinity)));
  EXPECT_TRUE(std::isnan(numerics::log1p(-1.5)));
  EXPECT_TRUE(std::isnan(numerics::sin(f64_infinity)));
  EXPECT_TRUE(std::isnan(numerics::cos(1e8)));
}

}  // namespace
}  // namespace unroll
