// Scores of predicted numbers.
#pragma once

#include <cstdint>
#include <vector>

namespace unroll::train {

/// Sums over samples, for each of several values. A target that is NaN does not count. Each score
/// is the mean over the values that have targets. Definitions: scikit-learn's
/// root_mean_squared_error, mean_absolute_error, r2_score.
class ValueMetrics {
 public:
  explicit ValueMetrics(std::int64_t values) : sums_(static_cast<std::size_t>(values)) {}

  void add(std::size_t value, double output, double target);

  double root_mean_squared_error() const;
  double mean_absolute_error() const;
  /// 1 - sum of squared errors / sum of squared distances of the targets from their mean. If all
  /// targets are equal: 1 without errors, else 0.
  double r2() const;

 private:
  struct Sums {
    double count = 0, squares = 0, absolute = 0;
    double mean = 0, spread = 0;  // of the targets; spread: sum of squared distances from the mean
  };
  template <class F>
  double mean_over_values(F&& f) const;

  std::vector<Sums> sums_;
};

}  // namespace unroll::train
