#include "app/prediction.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/printable.h"
#include "train/probabilities.h"

namespace unroll::app {

template <class T>
Prediction prediction_of(spec::Output kind, std::span<const T> outputs) {
  const auto largest = std::ranges::max_element(outputs);
  Prediction result{
      static_cast<std::size_t>(largest - outputs.begin()), {}, kind == spec::Output::scores};
  if (result.scores) {
    result.values.assign(outputs.begin(), outputs.end());
    return result;
  }
  train::probabilities_of(outputs, result.values);
  return result;
}

template Prediction prediction_of(spec::Output, std::span<const float>);
template Prediction prediction_of(spec::Output, std::span<const double>);

std::string PredictionPrinter::class_text(std::size_t number) const {
  return number < names.size() ? fmt::format("{} ({})", number, printable(names[number]))
                               : fmt::to_string(number);
}

void PredictionPrinter::line(const char* kind, std::int64_t number, const Prediction& p,
                             bool with_all, std::optional<std::int64_t> label) const {
  if (json) {
    nlohmann::ordered_json line = {{"event", "prediction"},
                                   {kind, number},
                                   {"class", p.best},
                                   {p.scores ? "scores" : "probabilities", p.values}};
    if (p.best < names.size()) line["name"] = names[p.best];
    if (label) line["label"] = *label;
    fmt::print("{}\n", line.dump(-1, ' ', true));
  } else {
    fmt::print("{} {}: class {}, {} {:.4f}", kind, number, class_text(p.best), p.name(),
               p.values[p.best]);
    if (with_all) fmt::print(" of {:.4f}", fmt::join(p.values, " "));
    if (label) fmt::print(", label {}", *label);
    fmt::print("\n");
  }
}

void PredictionPrinter::classes(const Prediction& p) const {
  if (json) return;
  for (std::size_t c = 0; c < p.values.size(); ++c)
    fmt::print("  class {}: {:.4f}\n", class_text(c), p.values[c]);
}

template <class T>
void PredictionPrinter::values(const char* kind, std::int64_t number, std::span<const T> outputs,
                               std::span<const T> targets) const {
  if (json) {
    nlohmann::ordered_json line = {{"event", "prediction"}, {kind, number}, {"values", outputs}};
    if (!targets.empty()) line["targets"] = targets;
    fmt::print("{}\n", line.dump());
  } else {
    fmt::print("{} {}: {:.4f}", kind, number, fmt::join(outputs, " "));
    if (!targets.empty()) fmt::print(", target {:.4f}", fmt::join(targets, " "));
    fmt::print("\n");
  }
}

template void PredictionPrinter::values(const char*, std::int64_t, std::span<const float>,
                                        std::span<const float>) const;
template void PredictionPrinter::values(const char*, std::int64_t, std::span<const double>,
                                        std::span<const double>) const;

void PredictionPrinter::classes_of_steps(const char* kind, std::int64_t number,
                                         const std::vector<std::int64_t>& predicted,
                                         const std::vector<std::int64_t>& targets) const {
  if (json) {
    nlohmann::ordered_json line = {{"event", "prediction"}, {kind, number}, {"classes", predicted}};
    if (!targets.empty()) line["targets"] = targets;
    fmt::print("{}\n", line.dump());
  } else {
    fmt::print("{} {}: {}", kind, number, fmt::join(predicted, " "));
    if (!targets.empty()) fmt::print(", targets {}", fmt::join(targets, " "));
    fmt::print("\n");
  }
}

}  // namespace unroll::app
