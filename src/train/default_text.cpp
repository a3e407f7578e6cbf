// The defaults that help names, computed from the recipes.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/list_text.h"
#include "train/settings.h"

namespace unroll::train {
namespace {

/// What one recipe gives for every data set and kind of model.
std::vector<Config> all_of_recipe(std::string_view name, bool each_model) {
  const std::string known = Config().dataset;
  std::vector<std::string_view> datasets = {known, own_images};
  for (const data::SourceTraits& named : data::named_sources()) datasets.push_back(named.name);
  std::vector<Config> all;
  for (const std::string_view dataset : datasets) {
    if (!has_recipe(name, dataset)) continue;
    if (!each_model) {
      all.push_back(recipe(name, {.dataset = dataset}));
      continue;
    }
    for (std::size_t m = 0; m < std::size(model_names); ++m) {
      const auto model = static_cast<ModelKind>(m);
      if (is_recurrent(model) || !data::source_traits(dataset).sequences_only)
        all.push_back(recipe(name, {.dataset = dataset, .model = model}));
    }
  }
  return all;
}

/// "1", "none or shift1"; numbers ascend, and more than three of them are "0.001 to 0.01".
std::string values_text(const Setting& setting, const std::vector<Config>& configs) {
  std::map<double, std::string> numbers;  // ascending
  std::vector<std::string> texts;
  for (const Config& config : configs) {
    if (!setting.no_effect(config).empty()) continue;
    const std::string text = setting.text(config);
    if (const auto json = setting.json(config); json.is_number()) numbers[json] = text;
    if (std::ranges::find(texts, text) == texts.end()) texts.push_back(text);
  }
  if (texts.empty()) return setting.text(Config());
  if (numbers.size() < texts.size()) return text_with_or(texts);
  if (numbers.size() > 3) return numbers.begin()->second + " to " + numbers.rbegin()->second;
  texts.clear();
  for (const auto& [number, text] : numbers) texts.push_back(text);
  return text_with_or(texts);
}

}  // namespace

std::string default_text(const Setting& setting) {
  if (setting.key == "recipe") return std::string(default_recipe);
  if (setting.key == "dataset") return setting.text(Config());
  struct Values {
    std::string text, recipes;
  };
  std::vector<Values> all;
  for (const std::string_view name : recipe_names) {
    const std::string text = values_text(setting, all_of_recipe(name, setting.key != "model"));
    const auto same = std::ranges::find(all, text, &Values::text);
    if (same == all.end())
      all.push_back({text, std::string(name)});
    else
      same->recipes += " and " + std::string(name);
  }
  if (all.size() == 1) return all.front().text;
  std::string text = "of ";
  for (const Values& v : all)
    text += fmt::format("{}{}: {}", &v == all.data() ? "" : "; ", v.recipes, v.text);
  return text;
}

}  // namespace unroll::train
