#include "export/int8.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/specs.h"
#include "unit/export/weights.h"
#include "unroll/core/random.h"

namespace unroll::exporter {
namespace {

TEST(Int8, ScalesAndRoundsEachRow) {
  const float matrix[] = {1, -127, 63.25f, 0, 0, 0, 0.5f, 0.3f, -0.1f};
  const Int8Matrix result = to_int8(matrix, 3);
  EXPECT_EQ(result.scales, (std::vector<float>{1, 0, 0.5f / 127}));
  EXPECT_EQ(result.values, (std::vector<std::int8_t>{1, -127, 63, 0, 0, 0, 127, 76, -25}));
}

TEST(Int8, IsOffByHalfAScaleAtMost) {
  std::vector<float> matrix(40 * 25);
  Generator(3).normal(matrix, 0, 1);
  const Int8Matrix result = to_int8(matrix, 40);
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    const float scale = result.scales[i / 25];
    EXPECT_LE(std::abs(scale * result.values[i] - matrix[i]), 0.5001f * scale);
  }
}

// Rows with the smallest floats.
TEST(Int8, SubnormalRows) {
  const float tiny = 1e-44f, matrix[] = {tiny, -tiny, 200 * tiny, -100 * tiny};
  const Int8Matrix result = to_int8(matrix, 2);
  EXPECT_EQ(result.scales[0], 0);
  EXPECT_EQ(result.values[0], 0);
  EXPECT_EQ(result.values[2], 127);
}

TEST(Int8, LeavesBiasesAsTheyAre) {
  const auto spec = test::rnn_spec(2, 3, 2);
  const test::CountedWeights weights(spec);
  const Int8Weights rounded(weights.views());
  ASSERT_EQ(rounded.arrays().size(), weights.views().size());
  for (std::size_t i = 0; i < weights.views().size(); ++i) {
    const io::ArrayView &before = weights.views()[i], &after = rounded.arrays()[i];
    EXPECT_EQ(after.name, before.name);
    EXPECT_EQ(after.shape, before.shape);
    EXPECT_EQ(io::floats_of<float>(before) == io::floats_of<float>(after), before.shape.size() == 1)
        << before.name;
  }
}

}  // namespace
}  // namespace unroll::exporter
