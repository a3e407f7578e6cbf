#include "kernels/panels.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace unroll::kernels {
namespace {

using Parts = std::vector<std::pair<std::size_t, std::size_t>>;

Parts parts_of(const Panels& panels, std::size_t begin, std::size_t end) {
  Parts parts;
  panels.for_parts(begin, end,
                   [&](std::size_t from, std::size_t to) { parts.emplace_back(from, to); });
  return parts;
}

TEST(Panels, AreOneAfterTheOther) {
  const Panels panels{64, 10 * 64};
  EXPECT_EQ(panels.place(0), 0u);
  EXPECT_EQ(panels.place(63), 63u);
  EXPECT_EQ(panels.place(64), 640u);
  EXPECT_EQ(panels.place(130), 1282u);
}

TEST(Panels, HoldAllColumns) {
  const Panels panels{64, 640};
  EXPECT_EQ(panels.count(0), 0u);
  EXPECT_EQ(panels.count(64), 1u);
  EXPECT_EQ(panels.count(65), 2u);
  EXPECT_EQ(panels.size(130), 3 * 640u);
}

TEST(Panels, CutColumnsWhereTheyBegin) {
  const Panels panels{64, 640};
  EXPECT_EQ(parts_of(panels, 0, 64), (Parts{{0, 64}}));
  EXPECT_EQ(parts_of(panels, 10, 20), (Parts{{10, 20}}));
  EXPECT_EQ(parts_of(panels, 60, 200), (Parts{{60, 64}, {64, 128}, {128, 192}, {192, 200}}));
  EXPECT_EQ(parts_of(panels, 7, 7), Parts{});
}

}  // namespace
}  // namespace unroll::kernels
