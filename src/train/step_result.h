// What one step of training tells.
#pragma once

#include <cstdint>

namespace unroll::train {

struct StepResult {
  std::int64_t step = 0;  // from 1
  double loss = 0;        // of the batch, before the update
  double grad_norm = 0;   // before clipping
};

}  // namespace unroll::train
