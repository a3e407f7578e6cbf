#include "train/class_metrics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace unroll::train {
namespace {

/// The most scores that are kept: 128 MB.
constexpr std::size_t kMostScores = std::size_t{1} << 24;

double ratio(double sum, std::int64_t count) {
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

}  // namespace

void ClassMetrics::add(std::int64_t truth, std::int64_t predicted) {
  ++counts_[static_cast<std::size_t>(truth)].present;
  ++counts_[static_cast<std::size_t>(predicted)].predicted;
  if (truth == predicted) ++counts_[static_cast<std::size_t>(truth)].hits;
}

void ClassMetrics::add(std::int64_t truth, std::int64_t predicted, std::span<const double> outputs,
                       std::span<const double> probabilities) {
  add(truth, predicted);
  too_many_ = too_many_ || scores_.size() + counts_.size() > kMostScores;
  if (too_many_) return;
  truths_.push_back(static_cast<std::size_t>(truth));
  // Probabilities near 1 are equal where their logits still differ.
  const std::size_t before = scores_.size();
  if (counts_.size() == 2)
    scores_.push_back(outputs[1] - outputs[0]);
  else
    scores_.insert(scores_.end(), probabilities.begin(), probabilities.end());
  for (std::size_t i = before; i < scores_.size(); ++i)
    has_nan_ = has_nan_ || std::isnan(scores_[i]);
}

double ClassMetrics::macro_f1() const {
  double sum = 0;
  std::int64_t classes = 0;
  for (const Counts& c : counts_) {
    if (c.present + c.predicted == 0) continue;
    sum += 2 * static_cast<double>(c.hits) / static_cast<double>(c.present + c.predicted);
    ++classes;
  }
  return ratio(sum, classes);
}

double ClassMetrics::balanced_accuracy() const {
  double sum = 0;
  std::int64_t classes = 0;
  for (const Counts& c : counts_) {
    if (c.present == 0) continue;
    sum += static_cast<double>(c.hits) / static_cast<double>(c.present);
    ++classes;
  }
  return ratio(sum, classes);
}

std::optional<double> ClassMetrics::auroc() const {
  if (too_many_ || has_nan_ || std::ranges::any_of(counts_, [&](const Counts& c) {
        return c.present == static_cast<std::int64_t>(truths_.size());
      }))
    return {};
  if (counts_.size() == 2) return area(1);
  double sum = 0;
  std::int64_t classes = 0;
  for (std::size_t c = 0; c < counts_.size(); ++c) {
    if (counts_[c].present == 0) continue;
    sum += area(c);
    ++classes;
  }
  return ratio(sum, classes);
}

// From the sum of the ranks (Mann and Whitney 1947). Equal scores share their mean rank.
double ClassMetrics::area(std::size_t of) const {
  const std::size_t columns = counts_.size() == 2 ? 1 : counts_.size();
  const std::size_t column = columns == 1 ? 0 : of;
  std::vector<std::pair<double, bool>> sorted;
  sorted.reserve(truths_.size());
  for (std::size_t i = 0; i < truths_.size(); ++i)
    sorted.emplace_back(scores_[i * columns + column], truths_[i] == of);
  std::ranges::sort(sorted);
  double ranks = 0;
  for (std::size_t i = 0; i < sorted.size();) {
    std::size_t end = i + 1, members = sorted[i].second;
    for (; end < sorted.size() && sorted[end].first == sorted[i].first; ++end)
      members += sorted[end].second;
    ranks += static_cast<double>(members) * (static_cast<double>(i + 1 + end) / 2);
    i = end;
  }
  const auto hits = static_cast<double>(counts_[of].present),
             others = static_cast<double>(truths_.size()) - hits;
  return (ranks - hits * (hits + 1) / 2) / (hits * others);
}

}  // namespace unroll::train
