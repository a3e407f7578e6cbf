#include "train/series_score.h"

#include <algorithm>
#include <cstddef>

#include "train/value_metrics.h"

namespace unroll::train {

SeriesScore::Series& SeriesScore::of(std::int64_t number, std::span<const double> outputs) {
  const auto at = static_cast<std::size_t>(number);
  if (series_.size() <= at) series_.resize(at + 1);
  Series& series = series_[at];
  series.sums.resize(outputs_);
  ++series.windows;
  for (std::size_t c = 0; c < outputs_; ++c) series.sums[c] += outputs[c];
  return series;
}

void SeriesScore::add(std::int64_t series, std::span<const double> outputs, std::int64_t truth) {
  of(series, outputs).truth = truth;
}

void SeriesScore::add(std::int64_t series, std::span<const double> outputs,
                      std::span<const double> targets) {
  of(series, outputs).targets.assign(targets.begin(), targets.end());
}

Metric SeriesScore::accuracy() const {
  Metric m{.name = "accuracy of series", .unit = "%"};
  for (const Series& series : series_) {
    if (series.windows == 0) continue;
    ++m.total;
    // The first of several largest.
    m.correct += std::ranges::max_element(series.sums) - series.sums.begin() == series.truth;
  }
  m.value = 100.0 * static_cast<double>(m.correct) / static_cast<double>(m.total);
  return m;
}

Metric SeriesScore::root_mean_squared_error() const {
  ValueMetrics metrics(static_cast<std::int64_t>(outputs_));
  for (const Series& series : series_)
    for (std::size_t c = 0; series.windows > 0 && c < outputs_; ++c)
      metrics.add(c, series.sums[c] / static_cast<double>(series.windows), series.targets[c]);
  return {.name = "RMSE of series",
          .value = metrics.root_mean_squared_error(),
          .larger_is_better = false};
}

}  // namespace unroll::train
