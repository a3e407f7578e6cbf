#include "kernels/max_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/tensors.h"

namespace unroll::kernels {
namespace {

// Every window by plain loops over all of the plane; more planes than one task takes.
TEST(MaxPool, IsTheLargestOfEachWindowAndWhereItIs) {
  const Windows rows{23, 3, 2, 1}, columns{17, 4, 3, 2};
  const std::size_t planes = 90, in = 23 * 17,
                    out = static_cast<std::size_t>(rows.count() * columns.count());
  EXPECT_EQ(rows.count(), 12);
  EXPECT_EQ(columns.count(), 6);
  const Tensor x = test::random_tensor({static_cast<std::int64_t>(planes * in)}, DType::f64, 1);
  std::vector<double> y(planes * out), without(planes * out);
  std::vector<std::int64_t> places(planes * out);
  const double* const from = x.data<double>();
  max_pool(planes, rows, columns, from, y.data(), places.data());
  max_pool<double>(planes, rows, columns, from, without.data(), nullptr);
  EXPECT_EQ(y, without);
  std::size_t at = 0;
  for (std::size_t plane = 0; plane < planes; ++plane)
    for (std::int64_t i = 0; i < 12; ++i)
      for (std::int64_t j = 0; j < 6; ++j, ++at) {
        double largest = -2;
        for (std::int64_t r = 0; r < 23; ++r)
          for (std::int64_t c = 0; c < 17; ++c)
            if (r >= 2 * i - 1 && r < 2 * i + 2 && c >= 3 * j - 2 && c < 3 * j + 2)
              largest = std::max(largest, from[plane * in + static_cast<std::size_t>(r * 17 + c)]);
        ASSERT_EQ(y[at], largest) << plane << " " << i << " " << j;
        ASSERT_EQ(from[plane * in + static_cast<std::size_t>(places[at])], largest);
      }
}

TEST(MaxPool, TheFirstOfEqualsAndNaN) {
  const Windows all{2, 2, 2, 0};
  const auto pooled = [&](const std::vector<float>& x) {
    float y = 0;
    std::int64_t place = -1;
    max_pool<float>(1, all, all, x.data(), &y, &place);
    return std::pair{y, place};
  };
  EXPECT_EQ(pooled({1, 3, 3, 2}), (std::pair{3.0f, std::int64_t{1}}));
  const auto [y, place] = pooled({1, NAN, 3, 2});
  EXPECT_TRUE(std::isnan(y));
  EXPECT_EQ(place, 1);
}

}  // namespace
}  // namespace unroll::kernels
