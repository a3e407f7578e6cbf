#include "unroll/tensor/shape.h"

#include <gtest/gtest.h>

#include <vector>

#include "unroll/core/error.h"

namespace unroll {
namespace {

TEST(Shape, SizesInOrder) {
  const Shape shape{2, 3, 4};
  EXPECT_EQ(shape.rank(), 3);
  EXPECT_EQ(shape[1], 3);
  EXPECT_EQ(shape.numel(), 24);
  EXPECT_EQ(shape.str(), "[2, 3, 4]");
  EXPECT_EQ(std::vector<std::int64_t>(shape.begin(), shape.end()),
            (std::vector<std::int64_t>{2, 3, 4}));
}

TEST(Shape, OfASingleNumber) {
  EXPECT_EQ(Shape{}.rank(), 0);
  EXPECT_EQ(Shape{}.numel(), 1);
  EXPECT_EQ(Shape{}.str(), "[]");
}

TEST(Shape, EqualWhereAllSizesAre) {
  EXPECT_EQ((Shape{2, 3}), (Shape{2, 3}));
  EXPECT_NE((Shape{2, 3}), (Shape{3, 2}));
  EXPECT_NE((Shape{2}), (Shape{2, 1}));
  EXPECT_NE(Shape{}, Shape{1});
}

TEST(Shape, WithoutADimension) {
  EXPECT_EQ((Shape{2, 3, 4}).without(0), (Shape{3, 4}));
  EXPECT_EQ((Shape{2, 3, 4}).without(1), (Shape{2, 4}));
  EXPECT_EQ((Shape{2, 3, 4}).without(2), (Shape{2, 3}));
  EXPECT_EQ(Shape{5}.without(0), Shape{});
}

TEST(Shape, SixSizesAreRefused) {
  EXPECT_EQ((Shape{1, 1, 1, 1, 1}).rank(), 5);
  try {
    const Shape shape{1, 1, 1, 1, 1, 1};
    ADD_FAILURE() << "accepted";
  } catch (const ShapeError& error) {
    EXPECT_STREQ(error.what(), "[shape] 6 dimensions given, expected at most 5");
  }
}

}  // namespace
}  // namespace unroll
