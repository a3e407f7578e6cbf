#include "run/metrics.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace unroll::run {
namespace {

/// 17 significant digits give every f64 back; JSON has no NaN or infinity.
std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{:.17g}", value) : "null";
}

std::string number(std::int64_t value) { return fmt::format("{}", value); }

/// f(key, value) for each number of a test, in the order in which every line has them.
template <class F>
void for_numbers(const train::Evaluation& evaluation, F&& f) {
  for (const train::Metric& metric : evaluation.metrics) {
    f(metric.key(), metric.value);
    if (!metric.is_share()) continue;
    f("correct", metric.correct);
    f("total", metric.total);
  }
}

/// "accuracy":97.5,"correct":975,"total":1000, and so on, each with its comma.
std::string metrics_text(const train::Evaluation& evaluation) {
  std::string text;
  for_numbers(evaluation, [&](const std::string& key, auto value) {
    text += fmt::format(R"("{}":{},)", key, number(value));
  });
  return text;
}

}  // namespace

std::string metrics_line(const train::StepResult& s) {
  return fmt::format(R"({{"event":"step","step":{},"loss":{},"grad_norm":{}}})", s.step,
                     number(s.loss), number(s.grad_norm));
}

std::string metrics_line(const train::StepResult& s, const train::Evaluation& e,
                         const std::string& dataset) {
  return fmt::format(R"({{"event":"eval","step":{},"loss":{},{}"train_loss":{},"dataset":{}}})",
                     s.step, number(e.loss), metrics_text(e), number(s.loss),
                     nlohmann::json(dataset).dump());
}

std::string metrics_line(const train::Diverged& d) {
  std::string kept = metrics_text(d.evaluation);
  if (!kept.empty()) kept = "," + kept.substr(0, kept.size() - 1);
  return fmt::format(
      R"({{"event":"diverged","step":{},"loss":{},"grad_norm":{},"kept":{{"step":{},"loss":{}{}}}}})",
      d.failed.step, number(d.failed.loss), number(d.failed.grad_norm), d.kept.step,
      number(d.evaluation.loss), kept);
}

void add_metrics(nlohmann::ordered_json& line, const train::Evaluation& evaluation) {
  for_numbers(evaluation, [&](const std::string& key, auto value) { line[key] = value; });
}

std::string_view lines_up_to(std::string_view lines, std::int64_t step) {
  return lines.substr(0, lines.find(fmt::format(R"({{"event":"step","step":{},)", step + 1)));
}

}  // namespace unroll::run
