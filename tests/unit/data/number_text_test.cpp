#include "data/number_text.h"

#include <gtest/gtest.h>

namespace unroll::data {
namespace {

TEST(NumberText, ReadsDecimalNumbers) {
  EXPECT_EQ(number_of("1.5").value, 1.5f);
  EXPECT_EQ(number_of("+3").value, 3.0f);
  EXPECT_EQ(number_of("-2e-3").value, -0.002f);
  EXPECT_EQ(number_of(".5").value, 0.5f);
  EXPECT_EQ(number_of("5.").value, 5.0f);
  EXPECT_EQ(number_of("0e-999").value, 0.0f);
  // numpy.float32(numpy.float64("16777217.0000001")): rounded twice
  EXPECT_EQ(number_of("16777217.0000001").value, 16777218.0f);
}

TEST(NumberText, RefusesWhatIsNoNumber) {
  for (const char* text : {"", " 1", "1 ", "1,5", "1_000", "0x10", "inf", "-inf", "nan", "infinity",
                           "+-1", "--1", "1e", "e5", "-", "+", "1.2.3", "one", "nan(1)"})
    EXPECT_EQ(number_of(text).fault, NumberFault::not_a_number) << text;
}

TEST(NumberText, RefusesNumbersBeyondF32) {
  for (const char* text : {"1e39", "-1e39", "1e999", "3.5e38"})
    EXPECT_EQ(number_of(text).fault, NumberFault::too_large) << text;
  for (const char* text : {"1e-60", "-1e-999"})
    EXPECT_EQ(number_of(text).fault, NumberFault::too_small) << text;
  EXPECT_EQ(number_of("1e-45").fault, NumberFault::none);
}

TEST(NumberText, TrimsBlanks) {
  EXPECT_EQ(trimmed(" \t1 2\t "), "1 2");
  EXPECT_EQ(trimmed(" "), "");
}

}  // namespace
}  // namespace unroll::data
