#include "app/dry_run.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/exit_code.h"
#include "app/messages.h"
#include "data/catalogue.h"
#include "data/places.h"
#include "run/initial_model.h"
#include "train/describe.h"
#include "train/trainer.h"

namespace unroll::app {
namespace {

using train::Config;
using train::Setting;

/// The settings after the checks of training, with the values that the data decides. Both need data
/// that is here.
Config checked(const TrainFlags::Result& settings, const DataFlags& data) {
  const Config& config = settings.config;
  const data::KnownSet* const set = data::find_known_set(config.dataset);
  const data::FoundSet found = set ? data::find_set(*set, data.data_dir) : data::FoundSet();
  if (set && !found.complete()) {
    const std::string state =
        found.files == 0
            ? fmt::format("{} is not on this machine", set->name)
            : fmt::format("{} has only {} of its 4 files on this machine", set->name, found.files);
    say_note(state + ", so the model was not checked against it");
    return config;
  }
  const auto source =
      data.open(config.dataset, train::source_options(config, settings.classes()), false);
  const Config settled = train::settled(config, *source);
  const auto initial = run::initial_model(settled);
  const train::Trainer trainer(settled, source, run::weights_of(initial));
  return settled;
}

void print_settings(const TrainFlags& flags, const TrainFlags::Result& settings) {
  for (std::size_t g = 0; g < std::size(train::group_names); ++g) {
    fmt::print("{}{}:\n", g == 0 ? "" : "\n", train::group_names[g]);
    for (const Setting& setting : train::settings())
      if (setting.group == static_cast<train::Group>(g) &&
          setting.no_effect(settings.config).empty())
        fmt::print("  {:<22} {:<18} {}\n", setting.key == "dataset" ? "dataset" : setting.flag(),
                   setting.text(settings.config), flags.source_of(setting, settings));
  }
}

void print_settings_json(const TrainFlags& flags, const TrainFlags::Result& settings) {
  nlohmann::ordered_json all;
  for (const Setting& setting : train::settings())
    if (setting.no_effect(settings.config).empty())
      all[std::string(setting.key)] = {{"value", setting.json(settings.config)},
                                       {"from", flags.source_of(setting, settings)}};
  fmt::print("{}\n", nlohmann::ordered_json{{"event", "settings"}, {"settings", all}}.dump());
}

}  // namespace

int dry_run(const TrainFlags& flags, const TrainFlags::Result& settings, const DataFlags& data,
            bool json) {
  TrainFlags::Result shown = settings;
  shown.config = checked(settings, data);
  if (json)
    print_settings_json(flags, shown);
  else
    print_settings(flags, shown);
  return kOk;
}

}  // namespace unroll::app
