// The table of settings: the command line, its help, config.json, validate() and differences() are
// made from it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "train/setting.h"

namespace unroll::train {

/// In the order of config.json; help puts them into groups.
const std::vector<Setting>& settings();

/// The row with this key.
const Setting& setting_of(std::string_view key);

/// The recipe of a run that names none.
inline constexpr std::string_view default_recipe = recipe_names[0];

/// The default for the help: "100", or "of tuned: 1; sprint and tutorial: 0". It names every value
/// that a recipe gives to some model or data, where the setting has an effect.
std::string default_text(const Setting& setting);

}  // namespace unroll::train
