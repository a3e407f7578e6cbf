// A confusion matrix as a picture.
#pragma once

#include <cstdint>
#include <string>

#include "train/evaluation.h"

namespace unroll::run {

/// A PNG, and its size in pixels.
struct Picture {
  std::int64_t width = 0, height = 0;
  std::string png;
};

/// Rows are the true classes, columns the predicted ones. A cell is a square of max(4, 480 / C)
/// pixels; cells of 12 or more have a grey line to the right of them and below. White is no sample.
/// Other counts get darker with the square root of their share of the row, so that few mistakes can
/// be seen.
Picture confusion_picture(const train::ConfusionMatrix& confusion);

}  // namespace unroll::run
