// The page's images of strokes, made in Node.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/shell.h"

namespace unroll::report {
namespace {

TEST(PageStrokes, BecomeImagesAsInMnist) {
  if (!test::is_there("node")) GTEST_SKIP() << "no node";
  const auto ran =
      test::shell(fmt::format("cd '{}' && node tests/unit/report/strokes.mjs", UNROLL_SOURCE_DIR));
  EXPECT_EQ(ran.status, 0);
  EXPECT_TRUE(ran.text.ends_with("all right\n")) << ran.text;
}

}  // namespace
}  // namespace unroll::report
