// A data set that anything learns.
#pragma once

#include <cstdint>

#include "unroll/data/dataset.h"

namespace unroll::test {

/// 20 images of 4 x 4: class 0 black, class 1 white.
inline data::Dataset black_and_white() {
  data::Dataset set;
  set.name = "made up";
  set.count = 20;
  set.rows = set.columns = 4;
  set.classes = 2;
  for (int i = 0; i < 20; ++i) {
    set.images.insert(set.images.end(), 16, i % 2 ? 255 : 0);
    set.labels.push_back(static_cast<std::uint8_t>(i % 2));
  }
  return set;
}

}  // namespace unroll::test
