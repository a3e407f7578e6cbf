#include "unroll/nn/custom_recurrent.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using test::error_of;

/// A cell as a program may put it together without custom_cell.
constexpr CustomCell cell_with(const CellTraits& traits) {
  return {"mine",
          traits,
          [](const CellRow<float>&) noexcept {},
          [](const CellRow<double>&) noexcept {},
          [](const CellGradientRow<float>&) noexcept {},
          [](const CellGradientRow<double>&) noexcept {}};
}

// They would be divided by, and sizes of what the layer lays out.
TEST(CustomRecurrent, ImpossibleTraitsAreRefused) {
  const CustomCell none = cell_with({.gates = 0, .joint = 0}),
                   joint = cell_with({.gates = 1, .joint = 2}),
                   apart = cell_with({.gates = 1, .joint = 0});
  EXPECT_EQ(error_of<ValueError>([&] { CustomRecurrent(none, 3, 5); }),
            "[mine] the cell has 0 gates and 0 joint gates; expected at least 1 gate, and at most "
            "as many joint gates");
  EXPECT_EQ(error_of<ValueError>([&] { CustomRecurrent(joint, 3, 5); }),
            "[mine] the cell has 1 gates and 2 joint gates; expected at least 1 gate, and at most "
            "as many joint gates");
  EXPECT_NO_THROW(CustomRecurrent(apart, 3, 5));
}

}  // namespace
}  // namespace unroll::nn
