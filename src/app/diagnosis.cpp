#include "app/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "app/json_line.h"
#include "app/messages.h"
#include "core/evenly_spaced.h"
#include "core/printable.h"
#include "run/inside_json.h"

namespace unroll::app {
namespace {

std::string short_number(double value) { return fmt::format("{:.3g}", value); }

/// Three columns: mean, spread, largest.
std::string spread_columns(const std::optional<train::Spread>& s) {
  if (!s) return fmt::format("{:>28}", "-");
  return fmt::format("{:>10}{:>9}{:>9}", short_number(s->mean), short_number(s->deviation),
                     short_number(s->largest));
}

train::Signs signs_of(std::int64_t step, const train::Evaluation& evaluation) {
  train::Signs signs;
  signs.step = step;
  if (evaluation.accuracy().is_share()) signs.accuracy = evaluation.accuracy().value;
  signs.inside = evaluation.inside;
  return signs;
}

}  // namespace

std::string text_of(const train::Finding& finding) {
  return fmt::format("{}: {} Try {}.", finding.name, finding.what, finding.remedy);
}

std::string text_of(const train::Inside& inside) {
  std::size_t widest = 5;
  for (const auto& layer : inside.layers) widest = std::max(widest, printable(layer.name).size());
  std::string text = fmt::format("  {:<{}}{:>28}{:>28}{:>28}{:>8}{:>10}\n  {:<{}}", "", widest,
                                 "weights", "updates", "activations", "", "", "layer", widest);
  for (int i = 0; i < 3; ++i) text += fmt::format("{:>10}{:>9}{:>9}", "mean", "spread", "largest");
  text += fmt::format("{:>8}{:>10}\n", "dead", "moved");
  for (const train::LayerInside& layer : inside.layers)
    text += fmt::format("  {:<{}}{}{}{}{:>8}{:>10}\n", printable(layer.name), widest,
                        spread_columns(layer.weights), spread_columns(layer.updates),
                        spread_columns(layer.activations),
                        layer.dead ? fmt::format("{:.0f} %", 100 * *layer.dead) : "-",
                        layer.moved ? short_number(*layer.moved) : "-");
  if (inside.times.empty()) return text;
  constexpr std::size_t kMostShown = 8;
  const std::vector<std::size_t> places = evenly_spaced(inside.times.size(), kMostShown);
  text += fmt::format("  {:<{}}", "gradient at time step", widest);
  for (const std::size_t i : places) text += fmt::format("{:>10}", inside.times[i]);
  text += '\n';
  for (const train::LayerInside& layer : inside.layers) {
    if (layer.gradient.size() != inside.times.size()) continue;
    text += fmt::format("  {:<{}}", printable(layer.name), std::max<std::size_t>(widest, 21));
    for (const std::size_t i : places)
      text += fmt::format("{:>10}", short_number(layer.gradient[i]));
    text += '\n';
  }
  return text;
}

void Diagnosis::evaluation(const train::StepResult& step, const train::Evaluation& evaluation) {
  print_layers(step.step, evaluation);
  tell_new(signs_of(step.step, evaluation));
}

void Diagnosis::diverged(const train::Diverged& diverged) {
  print_layers(diverged.failed.step, diverged.evaluation);
  train::Signs signs = signs_of(diverged.kept.step, diverged.evaluation);
  signs.failed = diverged.failed;
  told_.insert("diverged");
  tell_new(signs);
}

void Diagnosis::tell_new(const train::Signs& signs) {
  if (output_ == Output::quiet) return;
  std::vector<train::Finding> all = train::diagnose(config_, signs);
  std::erase_if(all, [this](const train::Finding& f) { return !told_.insert(f.name).second; });
  const std::int64_t step = signs.failed ? signs.failed->step : signs.step;
  for (const train::Finding& finding : all) {
    if (output_ == Output::json) {
      const nlohmann::ordered_json line{{"event", "finding"},
                                        {"step", step},
                                        {"name", finding.name},
                                        {"what", finding.what},
                                        {"remedy", finding.remedy}};
      std::fputs((json_line(line) + '\n').c_str(), stdout);
      std::fflush(stdout);
    } else {
      say_note(fmt::format("step {}: {}", step, text_of(finding)));
    }
  }
}

void Diagnosis::print_layers(std::int64_t step, const train::Evaluation& evaluation) const {
  if (!layers_ || !evaluation.inside || output_ == Output::quiet) return;
  const std::string text = output_ == Output::json
                               ? fmt::format("{{\"event\":\"inside\",\"step\":{},\"inside\":{}}}\n",
                                             step, run::to_json(*evaluation.inside))
                               : text_of(*evaluation.inside);
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

}  // namespace unroll::app
