#include "app/set_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "app/aligned_rows.h"
#include "app/result_text.h"
#include "core/printable.h"
#include "report/run_record.h"
#include "run/metrics.h"
#include "run/run_folder.h"

namespace unroll::app {
namespace {

using Json = nlohmann::ordered_json;

bool has_finished(const SetResult& result) { return result.status == "finished" && result.result; }

train::Evaluation evaluation_of(const run::MetricsLog::Test& test) {
  return {.loss = test.loss,
          .metrics = report::metrics_of(test),
          .baselines = test.baselines,
          .part = test.part};
}

/// The evaluation with the lowest loss on the validation part. A second training (--refit), which
/// is watched on the training part, has seen the validation part: what follows does not count.
const run::MetricsLog::Test* lowest_validation(const std::vector<run::MetricsLog::Test>& tests) {
  const run::MetricsLog::Test* lowest = nullptr;
  for (const run::MetricsLog::Test& test : tests) {
    if (test.part == data::Split::train) break;
    if (test.part == data::Split::validation && (!lowest || test.loss < lowest->loss))
      lowest = &test;
  }
  return lowest;
}

SetResult result_in(const std::string& path, const SetRun& run, bool sweep) {
  SetResult result{.run = run};
  try {
    const Folder folder("train", path);
    if (std::ranges::none_of(folder.names(), run::is_name_of_a_run)) return result;
  } catch (const FileError&) {  // not started
    return result;
  }
  const report::RunRecord record = report::read_run(path);
  result.status = record.status_name();
  result.step = record.step;
  if (record.status() != run::RunStatus::finished) return result;
  const run::MetricsLog::Test* const test =
      sweep ? lowest_validation(record.log.tests) : record.result();
  if (test) result.result = evaluation_of(*test);
  return result;
}

Json numbers_json(const std::vector<Column>& columns, double (Column::*number)() const) {
  Json object = Json::object();
  for (const Column& column : columns) object[column.key] = (column.*number)();
  return object;
}

/// The baselines of each fold that has some: all its runs have the same.
std::vector<train::Baseline> baselines_of_results(const std::vector<SetResult>& results) {
  std::map<std::int64_t, std::vector<train::Baseline>> of_folds;
  for (const SetResult& r : results)
    if (has_finished(r) && !r.result->baselines.empty())
      of_folds.emplace(r.run.fold, r.result->baselines);
  std::vector<std::vector<train::Baseline>> all;
  for (const auto& [fold, baselines] : of_folds) all.push_back(baselines);
  return mean_baselines(all);
}

/// As in metrics.jsonl.
std::string_view part_text(data::Split part) {
  return part == data::Split::train ? "train" : train::name_of(part);
}

/// The part that the results are of: the first one says it.
std::optional<data::Split> part_of(const std::vector<SetResult>& results) {
  const auto first = std::ranges::find_if(results, has_finished);
  return first == results.end() ? std::nullopt : std::optional(first->result->part);
}

/// The results, their mean and their deviation.
void add_results(Json& to, const std::vector<SetResult>& results) {
  Json& runs = to["runs"] = Json::array();
  for (const SetResult& r : results) {
    Json& run = runs.emplace_back(
        Json{{"name", r.run.name}, {"settings", r.run.settings}, {"status", r.status}});
    if (!r.result) continue;
    run["step"] = r.step;
    run["loss"] = r.result->loss;
    run::add_metrics(run, *r.result);
  }
  const std::vector<Column> columns = summary_columns(results);
  to["finished"] = std::ranges::count_if(results, has_finished);
  to["mean"] = numbers_json(columns, &Column::mean);
  to["standard_deviation"] = numbers_json(columns, &Column::deviation);
  for (const train::Baseline& b : baselines_of_results(results))
    to["baselines"].push_back({{"title", b.title}, {"metric", b.metric}, {"value", b.value}});
}

std::string number_text(const Column& column, double value, bool deviation = false) {
  if (column.unit == "%") return fmt::format("{:.2f}{}", value, deviation ? "" : " %");
  return fmt::format("{:.6g}", value);
}

}  // namespace

std::vector<SetResult> results_in(const std::string& folder, const std::vector<SetRun>& runs,
                                  bool sweep) {
  std::vector<SetResult> results;
  for (const SetRun& run : runs) results.push_back(result_in(folder + "/" + run.name, run, sweep));
  return results;
}

double Column::mean() const {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double Column::deviation() const {
  if (values.size() < 2) return 0;
  const double middle = mean();
  double sum = 0;
  for (const double value : values) sum += (value - middle) * (value - middle);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

std::vector<Column> summary_columns(const std::vector<SetResult>& results) {
  std::vector<Column> columns;
  for (const SetResult& r : results) {
    if (!has_finished(r)) continue;
    std::vector<train::Metric> numbers = r.result->metrics;
    numbers.push_back({.name = "loss", .value = r.result->loss});
    for (const train::Metric& metric : numbers) {
      auto found = std::ranges::find(columns, metric.name, &Column::name);
      if (found == columns.end())
        found = columns.insert(columns.end(), {metric.name, metric.key(), metric.unit});
      found->values.push_back(metric.value);
    }
  }
  return columns;
}

std::vector<SetRun> best_runs(const std::vector<SetResult>& results) {
  // A choice with a run that has not finished has no mean.
  std::map<std::int64_t, std::map<std::size_t, std::vector<double>>> losses;  // by fold, choice
  for (const SetResult& r : results)
    losses[r.run.fold][r.run.choice].push_back(
        has_finished(r) ? r.result->loss : std::numeric_limits<double>::infinity());
  std::vector<SetRun> best;
  for (const auto& [fold, choices] : losses) {
    double lowest = std::numeric_limits<double>::infinity();
    std::size_t chosen = results.size();
    for (const auto& [choice, values] : choices) {
      double sum = 0;
      for (const double value : values) sum += value;
      if (sum < lowest) {
        lowest = sum;
        chosen = choice;
      }
    }
    for (const SetResult& r : results)
      if (r.run.fold == fold && r.run.choice == chosen) best.push_back(r.run);
  }
  return best;
}

std::vector<train::Baseline> mean_baselines(
    const std::vector<std::vector<train::Baseline>>& of_folds) {
  if (of_folds.empty()) return {};
  std::vector<train::Baseline> means = of_folds.front();
  for (std::size_t i = 0; i < means.size(); ++i) {
    means[i].value = 0;
    for (const auto& baselines : of_folds)
      if (i < baselines.size())
        means[i].value += baselines[i].value / static_cast<double>(of_folds.size());
  }
  return means;
}

nlohmann::ordered_json summary_json(const std::vector<SetResult>& results, bool sweep,
                                    const std::vector<SetResult>& tested) {
  const data::Split usual = sweep ? data::Split::validation : data::Split::test;
  Json all = {{"part", part_text(part_of(results).value_or(usual))}};
  add_results(all, results);
  if (!sweep) return all;
  Json& best = all["best"] = Json::object();
  if (std::ranges::any_of(tested, has_finished) || tested.empty()) {
    best["part"] = part_text(data::Split::test);
    add_results(best, tested);
    return all;
  }
  for (const SetResult& r : tested)  // there is no test part, or it stays unread
    best["runs"].push_back({{"name", r.run.name}, {"settings", r.run.settings}});
  return all;
}

std::vector<std::string> baseline_lines(const std::vector<SetResult>& results) {
  train::Evaluation means{.baselines = baselines_of_results(results)};
  for (const Column& column : summary_columns(results)) {
    train::Metric metric = train::metric_with_key(column.key);
    metric.value = column.mean();
    means.metrics.push_back(std::move(metric));
  }
  std::vector<std::string> lines;
  for (const train::Baseline& b : means.baselines) lines.push_back("baseline: " + baseline_text(b));
  for (std::string& line : verdicts(means)) lines.push_back(std::move(line));
  return lines;
}

std::string summary_table(const std::vector<SetResult>& results, bool mean) {
  const std::vector<Column> columns = summary_columns(results);
  std::vector<std::vector<std::string>> rows(1, {"run"});
  for (const Column& column : columns) rows[0].push_back(column.name);
  for (const SetResult& r : results) {
    auto& row = rows.emplace_back(1, printable(r.run.name));
    if (!has_finished(r)) {
      row.push_back(r.status);
      continue;
    }
    for (const Column& column : columns) {
      const auto& metrics = r.result->metrics;
      const auto found = std::ranges::find(metrics, column.name, &train::Metric::name);
      if (found != metrics.end() || column.name == "loss")
        row.push_back(number_text(column, found == metrics.end() ? r.result->loss : found->value));
      else
        row.emplace_back("-");
    }
  }
  if (mean && std::ranges::count_if(results, has_finished) > 1) {
    auto& means = rows.emplace_back(1, "mean");
    for (const Column& column : columns) means.push_back(number_text(column, column.mean()));
    auto& deviations = rows.emplace_back(1, "standard deviation");
    for (const Column& column : columns)
      deviations.push_back(number_text(column, column.deviation(), true));
  }
  return aligned_rows(rows, Align::left);
}

}  // namespace unroll::app
