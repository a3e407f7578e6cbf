#include "train/chunks.h"

#include <gtest/gtest.h>

namespace unroll::train {
namespace {

using Values = std::vector<double>;

TEST(Chunks, AreTheStepsAskedFor) {
  // sequence n, step t, feature i: 100 n + 10 t + i
  Values numbers;
  for (int n = 0; n < 2; ++n)
    for (int t = 0; t < 5; ++t)
      for (int i = 0; i < 3; ++i) numbers.push_back(100 * n + 10 * t + i);
  Tensor x = Tensor::from(numbers, {2, 5, 3});
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor part = steps_of(x.to(dtype), 1, 2);
    EXPECT_EQ(part.shape(), (Shape{2, 2, 3}));
    EXPECT_EQ(part.dtype(), dtype);
    EXPECT_EQ(part.to_vector(), (Values{10, 11, 12, 20, 21, 22, 110, 111, 112, 120, 121, 122}));
  }
  EXPECT_EQ(steps_of(x, 0, 5).to_vector(), numbers);
  EXPECT_EQ(steps_of(x, 4, 1).to_vector(), (Values{40, 41, 42, 140, 141, 142}));
  // The input may be a transposed view.
  EXPECT_EQ(steps_of(x.transpose(0, 1), 0, 1).shape(), (Shape{5, 1, 3}));
  EXPECT_EQ(steps_of(x.transpose(0, 1), 1, 1).to_vector().front(), 100);
}

TEST(Chunks, OfTargets) {
  const Tensor targets = Tensor::from(std::vector<std::int64_t>{-100, -100, 3, 0, -100, 7}, {2, 3});
  EXPECT_EQ(steps_of(targets, 1, 2).to_vector(), (Values{-100, 3, -100, 7}));
}

}  // namespace
}  // namespace unroll::train
