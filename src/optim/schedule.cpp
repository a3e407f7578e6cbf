#include "unroll/optim/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/float_environment.h"
#include "core/in_this_mode.h"
#include "core/numerics.h"
#include "unroll/core/error.h"

namespace unroll::optim {
namespace {

double half_cosine(double from, double to, double part) {
  return to + (from - to) / 2 * (1 + numerics::cos(std::numbers::pi * part));
}

void check_total(std::int64_t total) {
  if (total < 1) throw ValueError("schedule", fmt::format("{} steps, expected at least 1", total));
}

void check_finite(const char* what, double value) {
  if (!std::isfinite(value))
    throw ValueError("schedule", fmt::format("{} = {}, expected a finite number", what, value));
}

void check_divisor(const char* what, double value) {
  if (!std::isfinite(value) || value <= 0)
    throw ValueError("schedule",
                     fmt::format("{} = {}, expected a finite number above 0", what, value));
}

/// A schedule whose numbers do not depend on the caller's rounding mode.
template <class F>
Schedule schedule(F f) {
  return [f](std::int64_t step) {
    const FloatEnvironment environment;
    return in_this_mode(f(in_this_mode(step)));
  };
}

}  // namespace

Schedule constant_schedule() {
  return [](std::int64_t) { return 1.0; };
}

Schedule step_schedule(std::int64_t step_size, double gamma) {
  check_total(step_size);
  check_finite("gamma", gamma);
  return schedule([=](std::int64_t step) {
    return numerics::pow(gamma, static_cast<double>(step / step_size));
  });
}

Schedule exponential_schedule(double gamma) {
  check_finite("gamma", gamma);
  return schedule(
      [=](std::int64_t step) { return numerics::pow(gamma, static_cast<double>(step)); });
}

Schedule cosine_schedule(std::int64_t total, double low) {
  check_total(total);
  check_finite("low", low);
  return schedule([=](std::int64_t step) {
    return half_cosine(1, low, static_cast<double>(step) / static_cast<double>(total));
  });
}

Schedule linear_schedule(double start, double end, std::int64_t total) {
  check_total(total);
  check_finite("start", start);
  check_finite("end", end);
  return schedule([=](std::int64_t step) {
    const double part = static_cast<double>(std::min(step, total)) / static_cast<double>(total);
    return start + (end - start) * part;
  });
}

Schedule one_cycle_schedule(std::int64_t total, double pct_start, double div_factor,
                            double final_div_factor) {
  check_total(total);
  check_finite("pct_start", pct_start);
  check_divisor("div_factor", div_factor);
  check_divisor("final_div_factor", final_div_factor);
  return schedule([=](std::int64_t step) {
    const double at = static_cast<double>(std::min(step, total - 1));
    const double top = pct_start * static_cast<double>(total) - 1;
    const double end = static_cast<double>(total) - 1;
    if (at <= top) return top > 0 ? half_cosine(1 / div_factor, 1, at / top) : 1.0;
    return half_cosine(1, 1 / (div_factor * final_div_factor), (at - top) / (end - top));
  });
}

Schedule warmup_linear_schedule(std::int64_t total, double warmup) {
  check_total(total);
  check_finite("warmup", warmup);
  return schedule([=](std::int64_t step) {
    const double count = static_cast<double>(total), at = static_cast<double>(step);
    const double rise = std::max(1.0, warmup * count);
    return std::min((at + 1) / rise, std::max(0.0, (count - at) / std::max(1.0, count - rise)));
  });
}

}  // namespace unroll::optim
