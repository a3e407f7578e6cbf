#include "app/train_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "app/data_set_names.h"
#include "app/data_source.h"
#include "app/messages.h"
#include "app/usage_error.h"
#include "data/recordings.h"
#include "data/source_traits.h"

namespace unroll::app {

using train::Config;
using train::Setting;

namespace {

/// A mean and a standard deviation in config.json suit the data of that run.
void tell_of_scale(const Config& config) {
  const Setting& setting = train::setting_of("normalize");
  const std::string scale = setting.text(config);
  if (!setting.exists(config) || scale == "none" || scale == "auto") return;
  say_note(
      fmt::format("--config scales pixels by {}, as in its run; --normalize auto takes the "
                  "scale of {}",
                  scale, config.dataset));
}

}  // namespace

void TrainFlags::add_to(Command& command) {
  for (std::size_t g = 0; g < std::size(train::group_names); ++g)
    add_group(command, static_cast<train::Group>(g));
  command.option("--config", config_file_, "Repeat the run of this config.json. Default none")
      .file()
      .group(std::string(name_of(train::Group::run)));
}

void TrainFlags::add_group(Command& command, train::Group group) {
  for (const Setting& setting : train::settings())
    if (setting.group == group) add(command, setting);
}

void TrainFlags::add(Command& command, const Setting& setting) {
  const std::string name = setting.key == "dataset" ? "dataset" : setting.flag();
  const std::string help =
      fmt::format("{}. Default {}", setting.help, train::default_text(setting));
  const auto keep = [&](const Option& option, std::function<void(Config&)> apply) {
    flags_.push_back(
        {&setting, option.group(std::string(name_of(setting.group))), std::move(apply)});
  };
  const auto add_value = [&]<class T>(std::function<void(Config&, const T&)> set) {
    const auto value = std::make_shared<T>();
    const Option option = command.option(name, *value, help);
    keep(option, [=](Config& config) { set(config, *value); });
    return option;
  };
  if (setting.is_switch() && setting.key != "bidirectional") {
    keep(command.flag(
             name, [] {}, help),
         [&setting](Config& config) { setting.parse(config, ""); });
    return;
  }
  std::visit(
      [&]<class M>(const M& member) {
        if constexpr (std::is_same_v<M, int Config::*> ||
                      std::is_same_v<M, std::int64_t Config::*> ||
                      std::is_same_v<M, double Config::*>) {
          using T = std::remove_cvref_t<decltype(Config().*member)>;
          add_value(std::function([=](Config& config, const T& value) {
            config.*member = value;
          })).value(setting.value_name());
        } else {
          const Option option =
              add_value(std::function([&setting](Config& config, const std::string& text) {
                setting.parse(config, text);
              }));
          // A recipe may turn a switch on: --bidirectional=off turns it off.
          option.value(setting.is_switch() ? "on|off" : setting.value_name());
          if (setting.is_switch()) option.values(0, 1);
          if (setting.key == "dataset") option.file("DATASET").offers(data_set_names());
          if (!setting.choices().empty()) option.choices(setting.choices());
          if (std::is_same_v<M, std::optional<std::uint64_t> Config::*>) option.values(0, 1);
        }
      },
      setting.member);
}

bool TrainFlags::given(std::string_view key, const Changes& changes) const {
  const auto flag = std::ranges::find(flags_, key, [](const Flag& f) { return f.setting->key; });
  return (flag != flags_.end() && flag->option.is_given()) ||
         std::ranges::find(changes, key, &Changes::value_type::first) != changes.end();
}

void TrainFlags::change(Config& config, const Changes& changes) const {
  if (given("steps", changes) && given("epochs", changes))
    throw UsageError("--steps and --epochs exclude each other; give one");
  for (const Flag& flag : flags_)
    if (flag.option.is_given()) flag.apply(config);
  for (const auto& [key, text] : changes) train::setting_of(key).parse(config, text);
  if (given("steps", changes)) config.epochs = 0;
  if (given("epochs", changes) && config.epochs < 1)
    throw UsageError(fmt::format("--epochs {}, expected at least 1", config.epochs));
}

void TrainFlags::refuse_idle(const Config& config, const Changes& changes) const {
  for (const Flag& flag : flags_) {
    if (!given(flag.setting->key, changes)) continue;
    if (const std::string text = flag.setting->no_effect(config); !text.empty())
      throw UsageError(fmt::format("{} has no effect {}", flag.setting->flag(), text));
  }
}

/// Refuses flags that make no sense together, where the settings may come from a recipe or a file.
void TrainFlags::refuse_pairs(const Config& config, const Changes& changes) const {
  // A sweep leaves the test part to the best run, and looks at the validation part before a refit.
  const bool typed = is_given("leave_test") || is_given("refit");
  const bool swept =
      std::ranges::find(changes, "leave_test", &Changes::value_type::first) != changes.end();
  if (config.refit && config.leave_test && typed && !swept)
    throw UsageError(
        "--refit trains on the validation part, too, so that --leave-test leaves nothing to test "
        "the model on; leave one of both out");
  // The patience of a recipe counts only where it can; this one was asked for.
  if (given("patience", changes) && config.patience > 0 && config.eval_every == 0)
    throw UsageError("--patience counts evaluations; give --eval-every at least 1");
}

std::string_view TrainFlags::source_of(const Setting& setting, const Result& result) const {
  if (is_given(setting.key)) return "flag";
  if (config_file_) return "config.json";
  const bool usual =
      setting.key == "recipe" || setting.json(result.config) == setting.json(Config());
  return usual ? "default" : "recipe";
}

Config TrainFlags::beside(Config run) const {
  if (config_file_)
    throw UsageError("--resume takes the settings from the run's own folder; leave --config out");
  change(run, {});
  return run;
}

TrainFlags::Result TrainFlags::resolve(const Changes& changes) const {
  Result result;
  if (config_file_ && given("recipe", changes))
    throw UsageError("--config and --recipe both choose all settings; give one of them");
  if (config_file_ && given("model", changes))
    throw UsageError("--config says what the model is; leave --model out");
  if (config_file_) {
    train::LoadedConfig loaded =
        train::config_from_json(train::read_config("config", *config_file_), *config_file_);
    result.config = std::move(loaded.config);
    result.provenance = std::move(loaded.provenance);
  } else {
    // A recipe looks at some settings that flags may change.
    Config wanted;
    wanted.recipe = train::default_recipe;
    change(wanted, changes);
    train::RecipeFor what = {.dataset = wanted.dataset, .activation = wanted.activation};
    if (data::source_traits(wanted.dataset).series)
      what.task = data::task_of(wanted.dataset, wanted);
    if (given("model", changes)) what.model = wanted.model;
    if (given("layers", changes)) what.layers = wanted.layers;
    result.config = train::recipe(wanted.recipe, what);
  }
  const std::string dataset = result.config.dataset;
  change(result.config, changes);
  refuse_other_file(result.config.dataset);
  result.other_data = result.config.dataset != dataset;
  for (const char* key : {"patience", "refit", "leave_test"})
    if (const Setting& setting = train::setting_of(key);
        given(key, changes) && setting.json(result.config) != setting.json(Config()))
      result.needs_validation = setting.flag();
  result.other_validation = given("validate", changes);
  result.other_initial = given("init_from", changes);
  refuse_idle(result.config, changes);
  // Other data may lack settings that the file has.
  if (result.other_data)
    for (const Setting& setting : train::settings())
      if (!setting.exists(result.config)) setting.read(result.config, setting.json(Config()));
  train::validate(result.config);
  refuse_pairs(result.config, changes);
  if (result.other_data && !given("normalize", changes)) tell_of_scale(result.config);
  return result;
}

}  // namespace unroll::app
