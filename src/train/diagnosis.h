// What went wrong in a run, from the numbers of an evaluation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "train/config.h"
#include "train/inside.h"
#include "train/step_result.h"

namespace unroll::train {

/// One thing that is wrong.
struct Finding {
  std::string name;    // "vanishing gradients"; the same for the same trouble
  std::string what;    // a sentence with the figure
  std::string remedy;  // one or two flags: "--clip-norm 1, or a smaller --lr"

  friend bool operator==(const Finding&, const Finding&) = default;
};

/// The numbers of an evaluation, in memory or out of metrics.jsonl.
struct Signs {
  std::int64_t step = 0;
  std::optional<double> accuracy = {};    // %
  std::optional<StepResult> failed = {};  // the step at which the run diverged
  std::optional<Inside> inside = {};
};

/// What the signs show, the most likely cause first:
///
/// | name                 | figure                                                              |
/// | diverged             | the loss or gradient of the failed step                             |
/// | exploding gradients  | ||dL/dh_1|| / ||dL/dh_T|| is above 1000, or not finite              |
/// | vanishing gradients  | ||dL/dh_1|| / ||dL/dh_T|| is below 1e-5, after 500 steps            |
/// | too large updates    | ||update|| / ||weights|| of a layer is above 1                      |
/// | dead units           | more than half of the units behind a ReLU gave only zeros           |
/// | constant output      | outputs differ by less than 1 % between samples, after 500 steps    |
/// | accuracy at chance   | at most 5 % of the way from always the most frequent class to 100 % |
/// |                      | after 500 steps                                                     |
std::vector<Finding> diagnose(const Config& config, const Signs& signs);

}  // namespace unroll::train
