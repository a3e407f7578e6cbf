#include "report/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

namespace unroll::report {
namespace {

using Json = nlohmann::ordered_json;

using Steps = std::span<const run::MetricsLog::Step>;

template <class Value>
Json mean_of(Steps steps, Value&& value) {
  double sum = 0;
  for (const auto& step : steps) sum += value(step);
  return six_digits(sum / static_cast<double>(steps.size()));
}

/// A mean would hide a short explosion.
Json largest_norm(Steps steps) {
  double largest = 0;
  for (const auto& step : steps) {
    if (std::isnan(step.grad_norm)) return nullptr;
    largest = std::max(largest, step.grad_norm);
  }
  return six_digits(largest);
}

void add_point(Json& to, Steps steps) {
  to["step"].push_back(steps.back().step);
  to["loss"].push_back(mean_of(steps, [](const auto& s) { return s.loss; }));
  to["lr"].push_back(mean_of(steps, [](const auto& s) { return s.lr.value_or(std::nan("")); }));
  to["grad_norm"].push_back(largest_norm(steps));
}

}  // namespace

Json six_digits(double value) {
  if (!std::isfinite(value)) return nullptr;
  const std::string text = fmt::format("{:.6g}", value);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Json curves(const run::MetricsLog& log) {
  Steps steps = log.steps;
  const std::size_t a_point =
      std::max<std::size_t>(1, (steps.size() + most_points - 1) / most_points);
  Json all = {{"steps_per_point", a_point},
              {"step", Json::array()},
              {"loss", Json::array()},
              {"lr", Json::array()},
              {"grad_norm", Json::array()}};
  while (!steps.empty()) {
    const auto some = steps.first(std::min(a_point, steps.size()));
    add_point(all, some);
    steps = steps.subspan(some.size());
  }
  if (log.divergence) add_point(all, {&log.divergence->failed, 1});
  return all;
}

}  // namespace unroll::report
