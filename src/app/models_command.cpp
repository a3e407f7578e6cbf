// unroll models: the models and recipes to choose from.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/help.h"
#include "data/catalogue.h"
#include "train/overview.h"

namespace unroll::app {
namespace {

using Json = nlohmann::ordered_json;

train::ModelKind kind_number(std::size_t number) { return static_cast<train::ModelKind>(number); }

train::Config config_of(const train::KnownResult& result) {
  return train::recipe(result.recipe, {.dataset = result.dataset, .model = result.model});
}

/// "98.98", "3.0e-05" or "diverges".
std::string value_text(const train::KnownResult& result, double value) {
  if (std::isnan(value)) return "diverges";
  return result.metric == "accuracy" ? fmt::format("{:.2f}", value) : fmt::format("{:.1e}", value);
}

void print_models() {
  fmt::print(
      "models: unroll train DATASET --model NAME, and the flags that only some models take\n");
  for (std::size_t i = 0; i < std::size(train::model_names); ++i) {
    fmt::print("  {:<9} {}\n", train::model_names[i], train::title_of(kind_number(i)));
    const std::string flags =
        fmt::format("{}", fmt::join(train::own_flags_of(kind_number(i)), " "));
    if (!flags.empty()) fmt::print("            {}\n", wrapped_text(flags, 12));
  }
  fmt::print("\nrecipes: unroll train DATASET --recipe NAME; tasks have only tuned\n");
  for (const std::string_view name : train::recipe_names) {
    const train::Config config = train::recipe(name);
    fmt::print("  {:<9} {} steps of {} images ({} epochs of MNIST)\n            {}\n", name,
               config.steps, config.batch_size,
               static_cast<double>(config.steps * config.batch_size) /
                   static_cast<double>(data::known_set("mnist").train),
               train::title_of_recipe(name));
  }
  fmt::print("\nresults on the test set after the last step, seeds 0 to 4; accuracies in %\n");
  for (const train::KnownResult& result : train::known_results()) {
    std::vector<std::string> values;
    for (const double value : result.seeds) values.push_back(value_text(result, value));
    fmt::print("  {:<52} {}", result.command(), fmt::join(values, " "));
    if (!std::isnan(result.mean()) && values.size() > 1)
      fmt::print(": mean {}", value_text(result, result.mean()));
    if (result.metric != "accuracy") fmt::print(" ({})", result.metric);
    fmt::print("\n");
  }
}

/// A line for each model, recipe and result.
void print_models_as_json() {
  for (std::size_t i = 0; i < std::size(train::model_names); ++i)
    fmt::print("{}\n", Json({{"event", "model"},
                             {"name", train::model_names[i]},
                             {"title", train::title_of(kind_number(i))},
                             {"flags", train::own_flags_of(kind_number(i))}})
                           .dump());
  for (const std::string_view name : train::recipe_names) {
    const train::Config config = train::recipe(name);
    fmt::print("{}\n", Json({{"event", "recipe"},
                             {"name", name},
                             {"title", train::title_of_recipe(name)},
                             {"steps", config.steps},
                             {"batch_size", config.batch_size}})
                           .dump());
  }
  for (const train::KnownResult& result : train::known_results())
    fmt::print("{}\n", Json({{"event", "result"},
                             {"command", result.command()},
                             {"dataset", result.dataset},
                             {"model", train::name_of(result.model)},
                             {"recipe", result.recipe},
                             {"steps", config_of(result).steps},
                             {"metric", result.metric},
                             {"seeds", result.seeds},
                             {"mean", result.mean()},
                             {"numerics_revision", train::known_results_revision}})
                           .dump());
}

}  // namespace

void add_models(Command& program) {
  Command command = program.add("models", "List the models and recipes, with their known results",
                                "unroll models");
  const auto json = std::make_shared<bool>(false);
  command.flag("--json", *json, "One line of JSON for each");
  command.set_work([json] {
    (*json ? print_models_as_json : print_models)();
    return kOk;
  });
}

}  // namespace unroll::app
