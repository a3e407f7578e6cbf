#include "train/recent_steps.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

namespace unroll::train {
namespace {

std::size_t filled(std::int64_t count) {
  return std::min(static_cast<std::size_t>(count), RecentSteps::size);
}

bool holds(const RecentSteps::Values& values, std::int64_t count, double value) {
  if (!std::isfinite(value)) return false;
  if (count < RecentSteps::fewest) return true;
  const auto last = std::span(values.last).first(filled(count));
  const double largest = std::max(values.largest_of_first, std::ranges::max(last));
  // If the largest value is 0, the usual size is unknown.
  return largest == 0 || value <= RecentSteps::factor * largest;
}

/// The lower quartile: a quarter of the values are at most this large.
double quartile(std::span<double> values) {
  const auto at = values.begin() + (std::ssize(values) - 1) / 4;
  std::ranges::nth_element(values, at);
  return *at;
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

void keep(RecentSteps::Values& values, std::int64_t count, double value) {
  values.last[static_cast<std::size_t>(count) % RecentSteps::size] = value;
  if (count < static_cast<std::int64_t>(RecentSteps::size))
    values.largest_of_first = std::max(values.largest_of_first, value);
}

}  // namespace

bool RecentSteps::holds_loss(double loss) const { return holds(state_.losses, state_.count, loss); }

bool RecentSteps::holds_norm(double norm) const { return holds(state_.norms, state_.count, norm); }

bool RecentSteps::is_good(double loss) const {
  if (!holds_loss(loss)) return false;
  if (state_.count == 0) return true;
  auto last = state_.losses.last;
  const auto all = std::span(last).first(filled(state_.count));
  std::array<double, 10> newest{loss};
  std::size_t n = 1;
  for (; n < newest.size() && n <= all.size(); ++n)
    newest[n] = last[(static_cast<std::size_t>(state_.count) - n) % size];
  return mean(std::span(newest).first(n)) <= mean(all) && loss <= quartile(all);
}

void RecentSteps::add(const StepResult& step) {
  if (!holds_loss(step.loss)) {
    ++state_.outside;
    return;
  }
  state_.outside = 0;
  keep(state_.losses, state_.count, step.loss);
  keep(state_.norms, state_.count, step.grad_norm);
  ++state_.count;
}

}  // namespace unroll::train
