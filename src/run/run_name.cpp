#include "run/run_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "data/places.h"
#include "data/source_traits.h"
#include "train/settings.h"

namespace unroll::run {
namespace {

using train::Config;
using train::Setting;

/// Settings that the name has elsewhere, or that only say how to read the file.
bool is_left_out(const Setting& setting, const Config& config) {
  constexpr std::string_view kKeys[] = {
      "recipe",      "dataset", "model",     "seed",    "eval_every", "save_at",
      "tensorboard", "task",    "target",    "series",  "time",       "time_format",
      "group",       "words",   "separator", "decimal", "no_header",  "leave_test"};
  if (std::ranges::find(kKeys, setting.key) != std::end(kKeys)) return true;
  // A file of a part belongs to the data.
  const bool of_part = setting.key == "validate" || setting.key == "test";
  return of_part && data::source_traits(setting.text(config)).series;
}

/// A word for each setting that differs from the recipe.
std::vector<std::string> parts_of(const Config& config) {
  // A folder called mnist may hold other images. Its files are only read once.
  const data::KnownSet* const known = data::known_set_in(config.dataset);
  train::RecipeFor what = {
      .dataset = known ? known->name : config.dataset, .model = config.model, .task = config.task};
  // An edited config.json may name a recipe that does not exist for its data.
  if (!train::has_recipe(config.recipe, what.dataset)) return {};
  const Config plain = train::recipe(config.recipe, what);
  what.layers = config.layers;
  what.activation = config.activation;
  // Layers and activation change the recipe's choices.
  const Config same_shape = train::recipe(config.recipe, what);
  std::vector<std::string> parts;
  for (const Setting& setting : train::settings()) {
    if (setting.changes_no_bit() || is_left_out(setting, config)) continue;
    const bool of_shape = setting.key == "layers" || setting.key == "activation";
    if (setting.json(config) != setting.json(of_shape ? plain : same_shape))
      parts.push_back(setting_word(setting, config));
  }
  return parts;
}

/// At most `most` bytes, whole characters of UTF-8.
std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  text.resize(most);
  return text;
}

bool is_safe(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_' || c == '+' || static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

std::string setting_word(const Setting& setting, const Config& config) {
  const std::string text = setting.text(config);
  if (setting.is_switch()) return text == "on" ? setting.flag().substr(2) : "no-" + setting.name();
  std::string part = setting.name() + (setting.json(config).is_number() ? "" : "-") + text;
  std::ranges::replace(part, ',', '-');
  return part;
}

std::string safe_name(std::string name) {
  std::ranges::replace_if(
      name, [](char c) { return !is_safe(c); }, '_');
  return name;
}

std::string run_name(const Config& config, const std::string& dataset) {
  constexpr std::size_t kLongestName = 40, kLongestParts = 64;
  std::string name =
      fmt::format("{}-{}-{}", dataset.empty() ? "data" : shortened(dataset, kLongestName),
                  train::name_of(config.model), config.recipe);
  std::string all;
  const std::vector<std::string> parts = parts_of(config);
  std::size_t shown = 0;
  for (; shown < parts.size() && all.size() + parts[shown].size() < kLongestParts; ++shown)
    all += "-" + parts[shown];
  if (shown < parts.size()) all += fmt::format("-and-{}-more", parts.size() - shown);
  return safe_name(name + fmt::format("{}-seed{}", all, config.seed));
}

}  // namespace unroll::run
