#include "train/evaluation.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace unroll::train {

std::string Metric::key() const {
  std::string key = name;
  for (char& c : key) {
    if (c == ' ' || c == '-') c = '_';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return key;
}

Metric metric_with_key(std::string_view key) {
  static const Metric known[] = {
      {.name = "accuracy", .unit = "%"},
      {.name = "macro-F1"},
      {.name = "balanced accuracy", .unit = "%"},
      {.name = "AUROC"},
      {.name = "accuracy of series", .unit = "%"},
      {.name = "R2"},
      {.name = "RMSE", .larger_is_better = false},
      {.name = "RMSE of series", .larger_is_better = false},
  };
  const auto* const found = std::ranges::find(known, key, &Metric::key);
  if (found != std::end(known)) return *found;
  Metric metric{.name = std::string(key), .larger_is_better = false};
  std::ranges::replace(metric.name, '_', ' ');
  return metric;
}

ConfusionMatrix::Scores ConfusionMatrix::scores(std::int64_t of) const {
  std::int64_t present = 0, predicted = 0;
  for (std::int64_t c = 0; c < classes; ++c) {
    present += at(of, c);
    predicted += at(c, of);
  }
  const auto ratio = [](std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  const std::int64_t hits = at(of, of);
  return {ratio(hits, predicted), ratio(hits, present), ratio(2 * hits, present + predicted),
          present};
}

std::string_view name_of(data::Split part) {
  return part == data::Split::train  ? "training"
         : part == data::Split::test ? "test"
                                     : "validation";
}

Interval interval_of(const Metric& share) {
  constexpr double z = 1.959963984540054;  // of the normal distribution, at 0.975
  const auto n = static_cast<double>(share.total), k = static_cast<double>(share.correct);
  if (n == 0) return {};
  const double middle = (k + z * z / 2) / (n + z * z);
  const double half = z / (n + z * z) * std::sqrt(k * (n - k) / n + z * z / 4);
  return {100 * (middle - half), 100 * (middle + half)};
}

const Metric* Evaluation::metric(std::string_view name) const {
  const auto found = std::ranges::find(metrics, name, &Metric::name);
  return found == metrics.end() ? nullptr : &*found;
}

const Metric& Evaluation::accuracy() const {
  static const Metric none{.name = "accuracy"};
  const Metric* found = metric(none.name);
  return found ? *found : none;
}

}  // namespace unroll::train
