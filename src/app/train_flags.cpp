#include "app/train_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <type_traits>

#include "app/data_set_names.h"
#include "app/usage_error.h"
#include "train/settings.h"

namespace unroll::app {

using train::Config;
using train::Setting;

void TrainFlags::add_to(Command& command) {
  command.option("--config", config_file_, "config.json of a run, to repeat it").file();
  for (const Setting& setting : train::settings()) {
    const std::string name = setting.key == "dataset" ? "dataset" : setting.flag();
    const auto keep = [&](const Option& option, std::function<void(Config&)> apply) {
      flags_.push_back({setting.key, option.group(std::string(setting.group)), std::move(apply)});
    };
    const auto add_switch = [&](std::function<void(Config&)> apply) {
      keep(command.flag(
               name, [] {}, setting.help_text()),
           std::move(apply));
    };
    const auto add_value = [&]<class T>(std::function<void(Config&, const T&)> set) {
      const auto value = std::make_shared<T>();
      const Option option = command.option(name, *value, setting.help_text());
      keep(option, [=](Config& config) { set(config, *value); });
      return option;
    };
    const std::function parse = [&setting](Config& config, const std::string& text) {
      setting.parse(config, text);
    };
    std::visit(
        [&]<class M>(const M& member) {
          if constexpr (std::is_same_v<M, bool Config::*>) {
            add_switch([=](Config& config) { config.*member = true; });
          } else if constexpr (std::is_same_v<M, int Config::*> ||
                               std::is_same_v<M, std::int64_t Config::*> ||
                               std::is_same_v<M, double Config::*>) {
            using T = std::remove_cvref_t<decltype(Config().*member)>;
            add_value(
                std::function([=](Config& config, const T& value) { config.*member = value; }));
          } else if (!setting.name_as_flag.empty()) {
            add_switch([=, &setting](Config& config) {
              parse(config, std::string(setting.name_as_flag));
            });
          } else {
            const bool optional = std::is_same_v<M, std::optional<std::uint64_t> Config::*>;
            const Option option = add_value(parse).values(optional ? 0 : 1, 1);
            if constexpr (std::is_same_v<M, train::Choice>) option.choices(member.names);
            if (setting.key == "dataset") option.folder("DATASET").offers(data_set_names());
            if (setting.key == "recipe")
              option.choices({std::begin(train::recipe_names), std::end(train::recipe_names)});
          }
        },
        setting.member);
  }
}

bool TrainFlags::given(std::string_view key) const {
  return std::ranges::find(flags_, key, &Flag::key)->option.is_given();
}

void TrainFlags::change(Config& config) const {
  if (given("steps") && given("epochs"))
    throw UsageError("--steps and --epochs exclude each other; give one");
  for (const Flag& flag : flags_)
    if (flag.option.is_given()) flag.apply(config);
  if (given("steps")) config.epochs = 0;
  if (given("epochs") && config.epochs < 1)
    throw UsageError(fmt::format("--epochs {}, expected at least 1", config.epochs));
}

Config TrainFlags::beside(Config run) const {
  if (config_file_)
    throw UsageError("--resume takes the settings from the run's own folder; leave --config out");
  change(run);
  return run;
}

TrainFlags::Result TrainFlags::resolve() const {
  Result result;
  if (config_file_ && given("recipe"))
    throw UsageError("--config and --recipe both choose all settings; give one of them");
  if (config_file_ && given("model"))
    throw UsageError("--config says what the model is; leave --model out");
  if (config_file_) {
    train::LoadedConfig loaded =
        train::config_from_json(train::read_config("config", *config_file_), *config_file_);
    result.config = std::move(loaded.config);
    result.provenance = std::move(loaded.provenance);
  } else {
    // A recipe looks at some settings that flags may change.
    Config wanted;
    wanted.recipe = "tuned";
    change(wanted);
    train::RecipeFor what = {.dataset = wanted.dataset, .activation = wanted.activation};
    if (given("model")) what.model = wanted.model;
    if (given("layers")) what.layers = wanted.layers;
    result.config = train::recipe(wanted.recipe, what);
  }
  const std::string dataset = result.config.dataset;
  change(result.config);
  result.other_data = result.config.dataset != dataset;
  train::validate(result.config);
  return result;
}

}  // namespace unroll::app
