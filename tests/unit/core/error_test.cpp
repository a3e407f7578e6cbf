#include "unroll/core/error.h"

#include <gtest/gtest.h>

#include <memory>

namespace unroll {
namespace {

TEST(Error, KeepsItsOperationAndItsReason) {
  const ShapeError error("linear", "input has 27 features, weight expects 28");
  EXPECT_STREQ(error.what(), "[linear] input has 27 features, weight expects 28");
  EXPECT_EQ(error.operation(), "linear");
  EXPECT_EQ(error.reason(), "input has 27 features, weight expects 28");
}

TEST(Error, FindsNeitherByBrackets) {
  const Error brackets("a] b", "[c] d] e");
  EXPECT_EQ(brackets.operation(), "a] b");
  EXPECT_EQ(brackets.reason(), "[c] d] e");
  const Error empty("", "");
  EXPECT_EQ(empty.operation(), "");
  EXPECT_EQ(empty.reason(), "");
}

TEST(Error, ACopyHasViewsOfItsOwn) {
  auto original = std::make_unique<FormatError>("model", "a\nb");
  const Error copy = *original;
  original.reset();
  EXPECT_EQ(copy.operation(), "model");
  EXPECT_EQ(copy.reason(), R"(a\nb)");
}

}  // namespace
}  // namespace unroll
