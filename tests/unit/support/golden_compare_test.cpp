#include "support/golden_compare.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace unroll::test {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();
using Values = std::vector<double>;

TEST(GoldenCompare, ScalesWithTheLargestValue) {
  EXPECT_TRUE(is_close(Values{100.5, 0.5}, Values{100, 0}, 0.005));
  EXPECT_FALSE(is_close(Values{100.6, 0}, Values{100, 0}, 0.005));
  EXPECT_FALSE(is_close(Values{1.1, 0}, Values{1, 0}, 0.05));
  EXPECT_TRUE(is_close(Values{0, 0}, Values{0, 0}, 0));
  EXPECT_FALSE(is_close(Values{1e-300}, Values{0}, 1));
  EXPECT_TRUE(is_close(Values{}, Values{}, 0));
}

TEST(GoldenCompare, NanInfinityAndOtherSizesFail) {
  EXPECT_FALSE(is_close(Values{nan, 1}, Values{1, 1}, 1));
  EXPECT_FALSE(is_close(Values{1, 1}, Values{1, nan}, 1));
  EXPECT_FALSE(is_close(Values{nan}, Values{nan}, 1));
  EXPECT_FALSE(is_close(Values{inf}, Values{inf}, 1));
  EXPECT_FALSE(is_close(Values{inf}, Values{1}, 1));
  EXPECT_FALSE(is_close(Values{1}, Values{inf}, 1));
  EXPECT_FALSE(is_close(Values{1}, Values{1, 1}, 1));
}

TEST(GoldenCompare, BitsTellZeroesApart) {
  const std::vector<float> zero{0.f}, negative_zero{-0.f};
  const io::ArrayView view{"x", io::ElementType::f32, {1}, std::as_bytes(std::span(zero))};
  EXPECT_TRUE(has_bits_of(std::as_bytes(std::span(zero)), view));
  EXPECT_FALSE(has_bits_of(std::as_bytes(std::span(negative_zero)), view));
  EXPECT_FALSE(has_bits_of({}, view));
}

}  // namespace
}  // namespace unroll::test
