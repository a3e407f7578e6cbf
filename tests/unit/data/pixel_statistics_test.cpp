#include "data/pixel_statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace unroll::data {
namespace {

Normalization statistics_of(std::vector<std::uint8_t> pixels) {
  Dataset set;
  set.images = std::move(pixels);
  return pixel_statistics(set);
}

TEST(PixelStatistics, OfPixelsThatAreEasyToReckon) {
  EXPECT_EQ(statistics_of({0, 255}).mean, 0.5);
  EXPECT_EQ(statistics_of({0, 255}).std, 0.5);
  EXPECT_EQ(statistics_of({51, 51, 51}).mean, 0.2);
  EXPECT_EQ(statistics_of({51, 51, 51}).std, 0);
  EXPECT_EQ(statistics_of({255}).mean, 1);
  EXPECT_EQ(statistics_of({}).std, 0);
  // 1, 2, 3, 4: mean 2.5, variance 1.25.
  EXPECT_DOUBLE_EQ(statistics_of({1, 2, 3, 4}).mean, 2.5 / 255);
  EXPECT_DOUBLE_EQ(statistics_of({1, 2, 3, 4}).std, std::sqrt(1.25) / 255);
}

// One pixel of many that differs by 1: the usual difference of two squares keeps few digits of it.
TEST(PixelStatistics, KeepsTheDigitsOfASmallSpread) {
  std::vector<std::uint8_t> pixels(1'000'000, 254);
  pixels[7] = 255;
  const double share = 1e-6;
  EXPECT_NEAR(statistics_of(pixels).std, std::sqrt(share * (1 - share)) / 255, 1e-17);
}

}  // namespace
}  // namespace unroll::data
