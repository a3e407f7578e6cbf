// The text of the line that is drawn again while training.
#pragma once

#include <cstdint>
#include <string>

#include "app/sparkline.h"

namespace unroll::app {

struct ProgressLine {
  std::int64_t step = 0, steps = 0;
  double loss = 0, lr = 0;
  std::string metrics;  ///< of the last test: "accuracy 98.64 %"; may be empty
  double steps_per_second = 0;
  const LossHistory& losses;
};

/// "step 2500/3000  loss 0.0060  accuracy 98.64 %  lr 0.1  512 steps/s  1 s left  █▅▃▂▁". It has
/// less than `columns` columns. What doesn't fit is left out, in this order: long words, learning
/// rate, steps a second, the bars of the loss, metrics, time left, loss. The bars get what is left
/// of the width. Without `utf8` the line is ASCII.
std::string text_of(const ProgressLine& line, int columns, bool utf8);

}  // namespace unroll::app
