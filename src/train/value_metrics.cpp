#include "train/value_metrics.h"

#include <cmath>
#include <cstddef>

namespace unroll::train {

void ValueMetrics::add(std::size_t value, double output, double target) {
  if (std::isnan(target)) return;
  Sums& s = sums_[value];
  const double error = output - target;
  ++s.count;
  s.squares += error * error;
  s.absolute += std::abs(error);
  // Source: Welford 1962, doi:10.1080/00401706.1962.10490022.
  const double before = target - s.mean;
  s.mean += before / s.count;
  s.spread += before * (target - s.mean);
}

template <class F>
double ValueMetrics::mean_over_values(F&& f) const {
  double sum = 0, values = 0;
  for (const Sums& s : sums_) {
    if (s.count == 0) continue;
    sum += f(s);
    ++values;
  }
  return sum / values;
}

double ValueMetrics::root_mean_squared_error() const {
  return mean_over_values([](const Sums& s) { return std::sqrt(s.squares / s.count); });
}

double ValueMetrics::mean_absolute_error() const {
  return mean_over_values([](const Sums& s) { return s.absolute / s.count; });
}

double ValueMetrics::r2() const {
  return mean_over_values([](const Sums& s) {
    if (s.spread > 0) return 1 - s.squares / s.spread;
    return s.squares == 0 ? 1.0 : 0.0;
  });
}

}  // namespace unroll::train
