#include "report/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "run/run_name.h"
#include "train/settings.h"

namespace unroll::report {
namespace {

using Json = nlohmann::ordered_json;
using Texts = std::vector<std::string>;

/// What a result of a run depends on, each with its value in every run.
struct Row {
  std::string key;
  std::string usual = {};  // the default; empty if it has none
  Texts values = {};       // empty texts where it has no effect

  bool differs() const {
    return std::ranges::any_of(values, [&](const std::string& v) { return v != values.front(); });
  }
  /// Whether it tells more than that a setting of one model is none of another.
  bool is_telling() const {
    const std::set<std::string> all(values.begin(), values.end());
    return all.size() - all.count("") > 1 || !all.contains(usual);
  }
};

std::string value_of(const train::Setting& setting, const train::Config& config) {
  return setting.no_effect(config).empty() ? setting.text(config) : "";
}

std::vector<Row> differing(const std::vector<RunRecord>& runs) {
  std::vector<Row> rows;
  const auto add = [&](std::string key, std::string usual, auto&& value) {
    Row row{std::move(key), std::move(usual)};
    for (const RunRecord& run : runs) row.values.push_back(value(run));
    if (row.differs()) rows.push_back(std::move(row));
  };
  for (const train::Setting& setting : train::settings())
    if (!setting.changes_no_bit())
      add(setting.name(), setting.text({}),
          [&](const RunRecord& run) { return value_of(setting, run.config); });
  add("data SHA-256", "", [](const RunRecord& run) {  // sets of one name may have other samples
    return (run.provenance.train_sha256 + run.provenance.test_sha256).substr(0, 12);
  });
  add("numerics revision", "",
      [](const RunRecord& run) { return fmt::format("{}", run.provenance.numerics_revision); });
  return rows;
}

/// "mnist-gru-tuned-lr0.1": as the run's folder is called, without the seed.
std::string group_name(const RunRecord& run) {
  std::string name = run::run_name(run.config, run.config.dataset);
  const std::string seed = fmt::format("-seed{}", run.config.seed);
  if (name.ends_with(seed)) name.resize(name.size() - seed.size());
  return name;
}

Json average_of(const std::vector<double>& values) {
  if (values.empty()) return nullptr;
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

Json deviation_of(const std::vector<double>& values) {
  if (values.size() < 2) return nullptr;
  const double mean = average_of(values);
  double sum = 0;
  for (const double v : values) sum += (v - mean) * (v - mean);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

/// One number of every run of a group. `value` gives nothing for a run that has none.
Json statistics(const std::string& key, const std::vector<const RunRecord*>& runs,
                const auto& value) {
  Json all = Json::array();
  std::vector<double> numbers;
  for (const RunRecord* run : runs) {
    const std::optional<double> one = run->status() == run::RunStatus::finished && run->result()
                                          ? value(*run->result())
                                          : std::nullopt;
    const bool known = one && std::isfinite(*one);
    all.push_back(known ? Json(*one) : Json());
    if (known) numbers.push_back(*one);
  }
  return {{"key", key},
          {"mean", average_of(numbers)},
          {"deviation", deviation_of(numbers)},
          {"values", std::move(all)}};
}

Json metrics_of_group(const std::vector<const RunRecord*>& runs) {
  Texts keys;
  for (const RunRecord* run : runs)
    if (const auto* result = run->result())
      for (const train::Metric& metric : report::metrics_of(*result))
        if (std::ranges::find(keys, metric.key()) == keys.end()) keys.push_back(metric.key());
  Json all = Json::array();
  for (const std::string& key : keys)
    all.push_back(statistics(
        key, runs,
        [&](const run::MetricsLog::Test& t) -> std::optional<double> { return t.metric(key); }));
  all.push_back(statistics("loss", runs,
                           [](const run::MetricsLog::Test& t) { return std::optional(t.loss); }));
  return all;
}

}  // namespace

Json differences(const std::vector<RunRecord>& runs) {
  auto differing_rows = differing(runs);
  std::erase_if(differing_rows, [](const Row& row) { return !row.is_telling(); });
  Json keys = Json::array(), rows = Json::array();
  for (const Row& row : differing_rows) keys.push_back(row.key);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    Json values = Json::array();
    for (const Row& row : differing_rows) values.push_back(row.values[i]);
    rows.push_back(std::move(values));
  }
  return {{"keys", std::move(keys)}, {"rows", std::move(rows)}};
}

Json groups(const std::vector<RunRecord>& runs) {
  auto rows = differing(runs);
  std::erase_if(rows, [](const Row& row) { return row.key == "seed"; });
  std::vector<std::pair<Texts, std::vector<std::size_t>>>
      found;  // in the order of their first runs
  for (std::size_t i = 0; i < runs.size(); ++i) {
    Texts values;
    for (const Row& row : rows) values.push_back(row.values[i]);
    const auto same =
        std::ranges::find(found, values, &std::pair<Texts, std::vector<std::size_t>>::first);
    if (same == found.end())
      found.push_back({std::move(values), {i}});
    else
      same->second.push_back(i);
  }
  Json all = Json::array();
  for (const auto& [values, members] : found) {
    std::vector<const RunRecord*> records;
    for (const std::size_t i : members) records.push_back(&runs[i]);
    all.push_back({{"name", group_name(runs[members.front()])},
                   {"runs", members},
                   {"metrics", metrics_of_group(records)}});
  }
  return all;
}

}  // namespace unroll::report
