// The score of series that were cut into windows: one answer for each series, the mean over its
// windows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "train/evaluation.h"

namespace unroll::train {

class SeriesScore {
 public:
  /// `outputs` numbers a window: the probabilities of classes, or values.
  explicit SeriesScore(std::size_t outputs) : outputs_(outputs) {}

  /// A window of a series. All windows of a series have the same target.
  void add(std::int64_t series, std::span<const double> outputs, std::int64_t truth);
  void add(std::int64_t series, std::span<const double> outputs, std::span<const double> targets);

  /// "accuracy of series"; only for classes.
  Metric accuracy() const;
  /// "RMSE of series"; only for values.
  Metric root_mean_squared_error() const;

 private:
  struct Series {
    std::int64_t windows = 0, truth = 0;
    std::vector<double> sums, targets;
  };
  Series& of(std::int64_t series, std::span<const double> outputs);

  std::size_t outputs_;
  std::vector<Series> series_;
};

}  // namespace unroll::train
