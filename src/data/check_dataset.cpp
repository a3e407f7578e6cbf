#include "data/check_dataset.h"

#include <fmt/format.h>

#include <algorithm>

#include "unroll/core/error.h"

namespace unroll::data {

void check_dataset(std::string_view operation, const Dataset& set) {
  const auto refuse = [&](const std::string& what) { throw ValueError(operation, what); };
  if (set.count < 1)
    refuse(fmt::format("the data set has {} images, expected at least 1", set.count));
  if (set.rows < 1 || set.columns < 1)
    refuse(fmt::format("the data set's images are {}x{}, expected at least 1x1", set.rows,
                       set.columns));
  std::int64_t pixels = 0;
  if (__builtin_mul_overflow(set.rows, set.columns, &pixels) ||
      __builtin_mul_overflow(pixels, set.count, &pixels) || std::ssize(set.images) < pixels)
    refuse(
        fmt::format("the data set has {} pixels, expected {} images of {}x{}; set count, rows "
                    "and columns to what it holds",
                    set.images.size(), set.count, set.rows, set.columns));
  if (std::ssize(set.labels) < set.count)
    refuse(fmt::format("the data set has {} labels for {} images, expected one each",
                       set.labels.size(), set.count));
  const auto end = set.labels.begin() + set.count;
  const auto wrong = std::find_if(set.labels.begin(), end,
                                  [&](std::uint8_t label) { return label >= set.classes; });
  if (wrong != end)
    refuse(
        fmt::format("the label {} at index {} is outside of the data set's {} classes, expected "
                    "0 to {}",
                    *wrong, wrong - set.labels.begin(), set.classes, set.classes - 1));
}

}  // namespace unroll::data
