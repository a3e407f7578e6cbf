// config.json, both ways.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/json.h"
#include "core/numerics.h"
#include "core/suggest.h"
#include "data/recordings.h"
#include "data/source_traits.h"
#include "train/config.h"
#include "train/settings.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void damaged_config(const std::string& path, std::string_view why) {
  throw FormatError("config", fmt::format("{}: {}; give the config.json of a run", path, why));
}

/// Reads all settings that the object has.
void read_settings(const Json& settings, const std::string& path, Config& to) {
  std::vector<std::string_view> keys;
  for (const Setting& setting : train::settings()) keys.push_back(setting.key);
  for (const auto& [key, value] : settings.items()) {
    const auto setting = std::ranges::find(train::settings(), key, &Setting::key);
    if (setting == train::settings().end())
      throw ValueError("config", fmt::format("{}: the key '{}' is not known{}", path, key,
                                             did_you_mean(key, keys)));
    if (!setting->read(to, value))
      throw ValueError("config", fmt::format("{}: '{}' can't be {}", path, key, value.dump()));
  }
}

/// The recipe for settings of which only some are given.
Config recipe_for(const Config& config, const Json& given) {
  RecipeFor what = {.dataset = config.dataset, .activation = config.activation};
  if (data::source_traits(config.dataset).series) what.task = data::task_of(config.dataset, config);
  if (given.contains("model")) what.model = config.model;
  if (given.contains("layers")) what.layers = config.layers;
  return recipe(given.contains("recipe") ? std::string_view(config.recipe) : default_recipe, what);
}

}  // namespace

std::string to_json(const Config& config, const Provenance& provenance) {
  Json settings = Json::object();
  for (const Setting& setting : train::settings())
    settings[std::string(setting.key)] = setting.json(config);
  Json data = {{"train_sha256", provenance.train_sha256}, {"test_sha256", provenance.test_sha256}};
  if (!provenance.validation_sha256.empty())
    data["validation_sha256"] = provenance.validation_sha256;
  if (!provenance.init_sha256.empty()) data["init_sha256"] = provenance.init_sha256;
  if (provenance.classes != Provenance().classes) data["classes"] = provenance.classes;
  if (!provenance.facts.empty()) data.update(Json::parse(provenance.facts));
  const Json json = {
      {"numerics_revision", provenance.numerics_revision}, {"data", data}, {"settings", settings}};
  return json.dump(2) + "\n";
}

constexpr std::uint64_t kLargest = 1 << 20;

std::string read_config(std::string_view operation, const std::string& path) {
  return read_text(operation, path, kLargest);
}

std::string read_config(std::string_view operation, const Folder& folder, const std::string& name) {
  return read_text(operation, folder, name, kLargest);
}

LoadedConfig config_from_json(std::string_view text, const std::string& path) {
  const Json json = parse_json(text, [&](std::string_view why) { damaged_config(path, why); });
  if (!json.is_object()) damaged_config(path, "it is not a JSON object");
  const auto settings = json.find("settings");
  if (settings == json.end() || !settings->is_object()) damaged_config(path, "no settings in it");
  LoadedConfig loaded;
  read_settings(*settings, path, loaded.config);
  if (!json.contains("numerics_revision") && !json.contains("data")) {
    loaded.config = recipe_for(loaded.config, *settings);
    read_settings(*settings, path, loaded.config);
    loaded.provenance.numerics_revision = numerics::revision;
    validate(loaded.config);
    return loaded;
  }
  try {
    const Json& revision = json.at("numerics_revision");
    // get() alone would convert 1e20, which is undefined.
    if (revision.is_number_integer()) loaded.provenance.numerics_revision = revision.get<int>();
    if (!revision.is_number_integer() || revision != loaded.provenance.numerics_revision)
      damaged_config(path, "the numerics revision is no whole number");
    const Json& data = json.at("data");
    loaded.provenance.train_sha256 = data.at("train_sha256").get<std::string>();
    loaded.provenance.test_sha256 = data.at("test_sha256").get<std::string>();
    if (const auto classes = data.find("classes"); classes != data.end()) {
      if (!classes->is_number_unsigned() || *classes < 1 || *classes > 256)
        damaged_config(path, "the number of classes is no whole number from 1 to 256");
      classes->get_to(loaded.provenance.classes);
    }
    loaded.provenance.validation_sha256 = data.value("validation_sha256", std::string());
    loaded.provenance.init_sha256 = data.value("init_sha256", std::string());
    Json facts = data;
    for (const char* key :
         {"train_sha256", "test_sha256", "validation_sha256", "init_sha256", "classes"})
      facts.erase(key);
    if (!facts.empty()) loaded.provenance.facts = facts.dump();
  } catch (const Json::exception&) {
    damaged_config(path, "the numerics revision or the data's hashes are missing");
  }
  validate(loaded.config);
  return loaded;
}

}  // namespace unroll::train
