// The name of a run's folder.
#pragma once

#include <string>

#include "train/config.h"
#include "train/setting.h"

namespace unroll::run {

/// "mnist-gru-tuned-lr0.01-seed0": the data set, the model, the recipe, each setting that differs
/// from the recipe's in the order of the table, and the seed. Settings that change no weight are
/// left out. Characters that a shell could take for its own become _, and the whole is at most
/// 160 bytes long.
std::string run_name(const train::Config& config, const std::string& dataset);

/// A setting as a word of a folder's name: "lr0.01", "optimizer-adam", "bidirectional",
/// "no-amsgrad", "pixels", "normalize-0.5-0.25".
std::string setting_word(const train::Setting& setting, const train::Config& config);

/// The name without characters that a shell could take for its own: they become _.
std::string safe_name(std::string name);

}  // namespace unroll::run
