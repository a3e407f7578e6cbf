#include "app/eval_by.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>

#include "app/aligned_rows.h"
#include "core/printable.h"
#include "data/name_order.h"
#include "run/metrics.h"

namespace unroll::app {
namespace {

/// The others say little about a few series: some classes may be missing.
bool is_main(const train::Metric& metric) {
  return metric.is_share() || metric.name == "RMSE" || metric.name == "mean absolute error" ||
         metric.name.ends_with(" of series");
}

std::string cell_of(const train::Metric& metric) {
  return metric.is_share()
             ? fmt::format("{:.2f} % ({} of {})", metric.value, metric.correct, metric.total)
             : fmt::format("{:.4g}", metric.value);
}

}  // namespace

template <class T>
std::vector<ResultOfValue> results_by(const infer::Model<T>& model, const data::Source& source,
                                      train::ValueLoss of_values) {
  const std::vector<std::string> values = source.values_by(data::Split::test);
  const auto series_of = source.series_of(data::Split::test);
  std::unordered_map<std::string_view, std::vector<std::int64_t>> samples;
  for (std::int64_t i = 0; i < source.size(data::Split::test); ++i) {
    const std::int64_t series = series_of.empty() ? i : series_of[static_cast<std::size_t>(i)];
    samples[values[static_cast<std::size_t>(series)]].push_back(i);
  }
  std::vector<std::string> different;
  for (const auto& [value, of_value] : samples) different.emplace_back(value);
  std::ranges::sort(different);
  data::sort_names(different);
  std::vector<ResultOfValue> results;
  for (const std::string& value : different)
    results.push_back({.value = value,
                       .evaluation = train::evaluate_samples(model, source, data::Split::test,
                                                             samples[value], of_values)});
  std::unordered_map<std::string_view, std::int64_t> counts;
  for (const std::string& value : values) ++counts[value];
  for (ResultOfValue& result : results) result.series = counts[result.value];
  return results;
}

template std::vector<ResultOfValue> results_by(const infer::Model<float>&, const data::Source&,
                                               train::ValueLoss);
template std::vector<ResultOfValue> results_by(const infer::Model<double>&, const data::Source&,
                                               train::ValueLoss);

std::string text_by(const std::string& column, const std::vector<ResultOfValue>& results) {
  std::vector<std::vector<std::string>> lines = {{"series"}};
  for (const train::Metric& metric : results.front().evaluation.metrics)
    if (is_main(metric)) lines[0].push_back(metric.name);
  lines[0].push_back(printable(column));
  for (const ResultOfValue& result : results) {
    std::vector<std::string>& line = lines.emplace_back();
    line.push_back(fmt::format("{}", result.series));
    for (const train::Metric& metric : result.evaluation.metrics)
      if (is_main(metric)) line.push_back(cell_of(metric));
    line.push_back(printable(result.value));
  }
  return aligned_rows(lines, Align::right);
}

void add_results_by(nlohmann::ordered_json& line, const std::string& column,
                    const std::vector<ResultOfValue>& results) {
  auto values = nlohmann::ordered_json::array();
  for (const ResultOfValue& result : results) {
    nlohmann::ordered_json& value = values.emplace_back(nlohmann::ordered_json::object());
    value["value"] = result.value;
    value["series"] = result.series;
    run::add_metrics(value, result.evaluation);
    value["loss"] = result.evaluation.loss;
  }
  line["by"] = {{"column", column}, {"values", std::move(values)}};
}

}  // namespace unroll::app
