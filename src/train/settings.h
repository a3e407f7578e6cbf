// The table of settings: the command line, its help, config.json, validate() and differences() are
// made from it.
#pragma once

#include <vector>

#include "train/setting.h"

namespace unroll::train {

/// In the order of config.json and of the help.
const std::vector<Setting>& settings();

}  // namespace unroll::train
