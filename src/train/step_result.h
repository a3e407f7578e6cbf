// What one step of training tells.
#pragma once

#include <cstdint>

namespace unroll::train {

struct StepResult {
  std::int64_t step = 0;   // from 1
  double loss = 0;         // of the batch, before the update
  double grad_norm = 0;    // before clipping
  double lr = 0;           // the learning rate of the update; with muon that of its matrices
  std::int64_t epoch = 0;  // the pass through the training set, from 1; 0 where data never ends
};

}  // namespace unroll::train
