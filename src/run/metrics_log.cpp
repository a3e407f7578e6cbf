#include "run/metrics_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/json.h"
#include "run/inside_json.h"
#include "unroll/core/error.h"

namespace unroll::run {
namespace {

using Line = nlohmann::ordered_json;

[[noreturn]] void refuse_line(const std::string& why) { throw FormatError("metrics", why); }

double number_in(const Line& line, const char* key) {
  const auto at = line.find(key);
  if (at == line.end() || !(at->is_number() || at->is_null()))
    refuse_line(fmt::format("\"{}\" is not a number", key));
  return at->is_null() ? std::nan("") : at->get<double>();
}

std::int64_t step_number(const Line& line) {
  const auto at = line.find("step");
  if (at == line.end() || !at->is_number_integer() || at->get<std::int64_t>() < 0)
    refuse_line("\"step\" is not a whole number");
  return at->get<std::int64_t>();
}

MetricsLog::Step step_of(const Line& line) {
  MetricsLog::Step step{
      step_number(line), number_in(line, "loss"), number_in(line, "grad_norm"), {}};
  if (line.contains("lr")) step.lr = number_in(line, "lr");
  return step;
}

data::Split part_of(const Line& line) {
  const auto at = line.find("part");
  if (at == line.end()) return data::Split::test;
  if (*at == "train") return data::Split::train;
  if (*at != "validation") refuse_line("\"part\" is neither train nor validation");
  return data::Split::validation;
}

std::vector<train::Baseline> baselines_of(const Line& line) {
  std::vector<train::Baseline> all;
  const auto at = line.find("baselines");
  if (at == line.end()) return all;
  for (const Line& one : *at) {
    const auto text_in = [&](const char* key) {
      const auto text = one.is_object() ? one.find(key) : one.end();
      if (text == one.end() || !text->is_string())
        refuse_line(fmt::format("a baseline's \"{}\" is no text", key));
      return text->get<std::string>();
    };
    all.push_back({text_in("title"), text_in("metric"), number_in(one, "value")});
  }
  return all;
}

/// The metrics are the numbers that every line of this event has not.
MetricsLog::Test test_of(const Line& line) {
  MetricsLog::Test test;
  test.step = step_number(line);
  test.part = part_of(line);
  test.loss = number_in(line, "loss");
  test.baselines = baselines_of(line);
  for (const auto& [key, value] : line.items()) {
    const bool is_metric = key != "step" && key != "loss" && key != "train_loss" &&
                           key != "epoch" && key != "lr" && (value.is_number() || value.is_null());
    if (is_metric)
      test.metrics.emplace_back(key, value.is_null() ? std::nan("") : value.get<double>());
  }
  if (const auto at = line.find("inside"); at != line.end()) test.inside = inside_from(*at);
  return test;
}

void read_line(const Line& line, MetricsLog& to) {
  const auto at = line.is_object() ? line.find("event") : line.end();
  if (at == line.end() || !at->is_string()) refuse_line("there is no \"event\"");
  const std::string event = at->get<std::string>();
  if (event == "step") {
    to.steps.push_back(step_of(line));
  } else if (event == "eval") {
    to.tests.push_back(test_of(line));
  } else if (event == "diverged") {
    const auto kept = line.find("kept");
    if (kept == line.end() || !kept->is_object()) refuse_line("there is no \"kept\"");
    to.divergence = {step_of(line), test_of(*kept), {}};
    if (const auto why = line.find("reason"); why != line.end() && why->is_string())
      to.divergence->reason = why->get<std::string>();
    if (const auto inside = line.find("inside"); inside != line.end())
      to.divergence->kept.inside = inside_from(*inside);
  }
}

}  // namespace

std::optional<double> MetricsLog::Test::metric(std::string_view key) const {
  for (const auto& [name, value] : metrics)
    if (name == key) return value;
  return {};
}

std::vector<train::Signs> MetricsLog::signs() const {
  const auto signs_of = [](const Test& test) {
    return train::Signs{test.step, test.metric("accuracy"), {}, test.inside};
  };
  std::vector<train::Signs> all;
  for (const Test& test : tests) all.push_back(signs_of(test));
  if (divergence) {
    all.push_back(signs_of(divergence->kept));
    train::StepResult& failed = all.back().failed.emplace();
    failed.step = divergence->failed.step;
    failed.loss = divergence->failed.loss;
    failed.grad_norm = divergence->failed.grad_norm;
  }
  return all;
}

MetricsLog read_metrics_log(std::string_view text, const std::string& name) {
  MetricsLog log;
  std::int64_t number = 0;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    ++number;
    try {
      read_line(parse_json(line, [](std::string_view why) { refuse_line(std::string(why)); }), log);
    } catch (const FormatError& error) {
      throw FormatError("metrics", fmt::format("{}, line {}: {}", name, number, error.reason()));
    }
  }
  return log;
}

}  // namespace unroll::run
