#include "app/result_text.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace unroll::app {
namespace {

bool is_of_series(std::string_view name) { return name.ends_with(" of series"); }

/// "97.50 %", four digits for other numbers.
std::string with_unit(const train::Metric& metric) {
  return metric.unit == "%" ? fmt::format("{:.2f} %", metric.value)
                            : fmt::format("{:.4g}", metric.value);
}

/// "87.30 % (124 of 142; 95 % interval 80.9 to 91.8)"
std::string with_interval(const train::Metric& metric) {
  if (!metric.is_share()) return with_unit(metric);
  const train::Interval interval = train::interval_of(metric);
  return fmt::format("{} ({} of {}; 95 % interval {:.1f} to {:.1f})", with_unit(metric),
                     metric.correct, metric.total, interval.low, interval.high);
}

/// The baselines of the first metric of a line, and of its other ones with their names:
/// "; training mean 0.4504, training median 0.3512 (mean absolute error)"
std::string baselines_of(const train::Evaluation& e, const std::vector<train::Metric>& of_line) {
  std::string text;
  for (const train::Metric& metric : of_line)
    for (const train::Baseline& b : e.baselines) {
      if (b.metric != metric.name) continue;
      train::Metric simple = metric;
      simple.value = b.value;
      text += fmt::format("{} {} {}", text.empty() ? ";" : ",", b.title, with_unit(simple));
      if (metric.name != of_line.front().name) text += fmt::format(" ({})", metric.name);
    }
  return text;
}

std::vector<std::string> detailed_lines(const train::Evaluation& e, const std::string& when,
                                        const std::string& remark) {
  std::vector<std::string> lines;
  for (const train::Metric& m : e.metrics) {
    if (!lines.empty() && !is_of_series(m.name)) continue;
    std::string line = fmt::format("{} {}{}: {}", title_of(e.part), m.name, when, with_interval(m));
    std::vector<train::Metric> of_line = {m};
    if (lines.empty())
      for (const train::Metric& other : e.metrics)
        if (other.name != m.name && !is_of_series(other.name)) {
          line += fmt::format(", {} {}", other.name, with_unit(other));
          of_line.push_back(other);
        }
    lines.push_back(line + baselines_of(e, of_line) + remark);
  }
  for (std::string& line : verdicts(e)) lines.push_back(std::move(line));
  return lines;
}

}  // namespace

std::string baseline_text(const train::Baseline& b) {
  const train::Metric known = train::metric_with_key(train::Metric{.name = b.metric}.key());
  const std::string value =
      known.unit == "%" ? fmt::format("{:.2f} %", b.value) : fmt::format("{:.6g}", b.value);
  return fmt::format("{}, {} {}", b.title, b.metric, value);
}

std::vector<std::string> verdicts(const train::Evaluation& e) {
  std::vector<std::string> lines;
  for (const train::Baseline& b : e.baselines) {
    const train::Metric* metric = e.metric(b.metric);
    if (!metric) continue;
    const double ahead = (metric->larger_is_better ? 1 : -1) * (metric->value - b.value);
    if (ahead > 0) continue;
    lines.push_back(fmt::format("By its {}, the model is {} than always answering {}{}.",
                                metric->name, ahead < 0 ? "WORSE" : "no better",
                                b.title.starts_with("each ") ? "" : "the ", b.title));
  }
  return lines;
}

std::string title_of(data::Split part) {
  std::string name(train::name_of(part));
  name.front() = static_cast<char>(name.front() - 'a' + 'A');
  return name;
}

std::string first_result(const train::Evaluation& e) {
  if (e.metrics.empty()) return "";
  return fmt::format("{} {} {}", train::name_of(e.part), e.metrics.front().name,
                     with_unit(e.metrics.front()));
}

std::vector<std::string> result_lines(const train::Evaluation& e, const std::string& when,
                                      const std::string& remark) {
  if (e.detailed) return detailed_lines(e, when, remark);
  const std::string part = title_of(e.part);
  std::vector<std::string> lines;
  for (const train::Metric& m : e.metrics)
    lines.push_back(m.is_share()
                        ? fmt::format("{} {}{}: {:.2f} % ({} of {} correct){}", part, m.name, when,
                                      m.value, m.correct, m.total, remark)
                        : fmt::format("{} {}{}: {:.6f}{}", part, m.name, when, m.value, remark));
  if (!e.confusion)
    lines.push_back(fmt::format("{} {}{}: {:.6f}", part, e.loss_name, when, e.loss));
  return lines;
}

}  // namespace unroll::app
