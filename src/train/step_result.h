// The result of one training step.
#pragma once

#include <cstdint>

#include "unroll/tensor/tensor.h"

namespace unroll::train {

struct StepResult {
  std::int64_t step = 0;     // from 1
  double loss = 0;           // of the batch, before the update
  double grad_norm = 0;      // before clipping
  double lr = 0;             // learning rate of the update; with muon, the one for matrices
  std::int64_t epoch = 0;    // from 1; 0 if the data is endless
  DType dtype = DType::f64;  // of the loss
};

}  // namespace unroll::train
