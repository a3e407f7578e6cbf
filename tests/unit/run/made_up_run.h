// A run folder and checkpoints for it, made without training.
#pragma once

#include <cstdint>
#include <string>

#include "run/run_folder.h"
#include "train/checkpoint.h"
#include "train/config.h"

namespace unroll::run {

inline RunFolder make_run(const std::string& path) {
  return {path, train::recipe("tutorial"), {}, "made up"};
}

/// Every weight is `step`.
inline train::Checkpoint checkpoint_after(std::int64_t step) {
  train::Checkpoint c;
  c.last = {step, 0.5, 2};
  c.weights = {{"fc.weight", Tensor::full({2, 3}, static_cast<double>(step))}};
  c.generator = "none";
  c.model = "{}";
  return c;
}

}  // namespace unroll::run
