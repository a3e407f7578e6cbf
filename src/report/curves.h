// The curves of a training: loss, learning rate and gradient norm over the steps.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <span>

#include "run/metrics_log.h"

namespace unroll::report {

/// The most points of a curve.
inline constexpr std::size_t most_points = 1000;

/// {"step": [...], "loss": [...], "lr": [...], "grad_norm": [...]}: a point for each step, or for
/// each group of as many steps as make at most `most_points`. A point has the number of its last
/// step and the means of its steps with six digits; null if a value is not finite.
nlohmann::ordered_json curves(std::span<const run::MetricsLog::Step> steps);

/// The number with six digits; null if it is not finite.
nlohmann::ordered_json six_digits(double value);

}  // namespace unroll::report
