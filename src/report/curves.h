// The curves of a training: loss, learning rate and gradient norm over the steps.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>

#include "run/metrics_log.h"

namespace unroll::report {

/// The most points of a curve.
inline constexpr std::size_t most_points = 1000;

/// {"steps_per_point": 3, "step": [...], "loss": [...], "lr": [...], "grad_norm": [...]}: a point
/// for each step, or for each group of as many steps as make at most `most_points`. A point has the
/// number of its last step, the means of loss and lr, and the largest norm of the gradient, with
/// six digits; null if one is not finite. The step at which training diverged is a point of its
/// own.
nlohmann::ordered_json curves(const run::MetricsLog& log);

/// The number with six digits; null if it is not finite.
nlohmann::ordered_json six_digits(double value);

}  // namespace unroll::report
