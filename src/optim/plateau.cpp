#include "unroll/optim/plateau.h"

#include <algorithm>
#include <limits>

#include "core/float_environment.h"
#include "optim/checks.h"

namespace unroll::optim {
namespace {

using Mode = ReduceLrOnPlateauOptions::Mode;
using ThresholdMode = ReduceLrOnPlateauOptions::ThresholdMode;
constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

ReduceLrOnPlateau::ReduceLrOnPlateau(const Options& options)
    : options_(options), state_{.best = options.mode == Mode::min ? infinity : -infinity} {
  const char* name = "reduce_lr_on_plateau";
  check_range(name, "factor", options.factor, 0, 1);
  check_range(name, "patience", static_cast<double>(options.patience), 0, infinity);
  check_range(name, "threshold", options.threshold, 0, infinity);
  check_range(name, "cooldown", static_cast<double>(options.cooldown), 0, infinity);
  check_range(name, "min_factor", options.min_factor, 0, 1);
}

bool ReduceLrOnPlateau::is_better(double metric) const {
  const double best = state_.best;
  const bool relative = options_.threshold_mode == ThresholdMode::rel;
  if (options_.mode == Mode::min)
    return metric < (relative ? best * (1 - options_.threshold) : best - options_.threshold);
  return metric > (relative ? best * (1 + options_.threshold) : best + options_.threshold);
}

double ReduceLrOnPlateau::step(double metric) {
  const FloatEnvironment environment;
  State& s = state_;
  if (is_better(metric)) {
    s.best = metric;
    s.bad = 0;
  } else {
    ++s.bad;
  }
  if (s.cooldown > 0) {
    --s.cooldown;
    s.bad = 0;
  }
  if (s.bad > options_.patience) {
    s.lr_factor = std::max(s.lr_factor * options_.factor, options_.min_factor);
    s.cooldown = options_.cooldown;
    s.bad = 0;
  }
  return s.lr_factor;
}

}  // namespace unroll::optim
