#include "app/aligned_rows.h"

#include <gtest/gtest.h>

namespace unroll::app {
namespace {

// A run that has not ended has fewer texts.
TEST(AlignedRows, HaveColumnsOfOneWidth) {
  EXPECT_EQ(aligned_rows({{"run", "accuracy", "loss"}, {"seed10", "9 %", "0.5"}, {"s", "waits"}},
                         Align::left),
            "run     accuracy  loss\n"
            "seed10  9 %       0.5\n"
            "s       waits\n");
  EXPECT_EQ(aligned_rows({{"series", "subject"}, {"14", "anna"}}, Align::right),
            "series  subject\n"
            "    14  anna\n");
  EXPECT_EQ(aligned_rows({}, Align::left), "");
}

}  // namespace
}  // namespace unroll::app
