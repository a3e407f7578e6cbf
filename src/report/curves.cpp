#include "report/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

namespace unroll::report {
namespace {

using Json = nlohmann::ordered_json;

template <class Value>
Json mean_of(std::span<const run::MetricsLog::Step> steps, Value&& value) {
  double sum = 0;
  for (const auto& step : steps) sum += value(step);
  return six_digits(sum / static_cast<double>(steps.size()));
}

}  // namespace

Json six_digits(double value) {
  if (!std::isfinite(value)) return nullptr;
  const std::string text = fmt::format("{:.6g}", value);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Json curves(std::span<const run::MetricsLog::Step> steps) {
  Json all = {{"step", Json::array()},
              {"loss", Json::array()},
              {"lr", Json::array()},
              {"grad_norm", Json::array()}};
  const std::size_t a_point = (steps.size() + most_points - 1) / most_points;
  while (!steps.empty()) {
    const auto some = steps.first(std::min(a_point, steps.size()));
    all["step"].push_back(some.back().step);
    all["loss"].push_back(mean_of(some, [](const auto& s) { return s.loss; }));
    all["lr"].push_back(mean_of(some, [](const auto& s) { return s.lr.value_or(std::nan("")); }));
    all["grad_norm"].push_back(mean_of(some, [](const auto& s) { return s.grad_norm; }));
    steps = steps.subspan(some.size());
  }
  return all;
}

}  // namespace unroll::report
