#include "core/evenly_spaced.h"

#include <gtest/gtest.h>

namespace unroll {
namespace {

using Places = std::vector<std::size_t>;

TEST(EvenlySpaced, HasTheFirstAndTheLast) {
  EXPECT_EQ(evenly_spaced(9, 3), (Places{0, 4, 8}));
  EXPECT_EQ(evenly_spaced(100, 2), (Places{0, 99}));
}

TEST(EvenlySpaced, TakesAllOfAFew) {
  EXPECT_EQ(evenly_spaced(3, 8), (Places{0, 1, 2}));
  EXPECT_EQ(evenly_spaced(1, 8), (Places{0}));
  EXPECT_EQ(evenly_spaced(0, 8), Places{});
}

}  // namespace
}  // namespace unroll
