// The name of a run's folder.
#pragma once

#include <string>

#include "train/config.h"

namespace unroll::run {

/// "mnist-gru-tuned-lr0.01-seed0": the data set, the model, the recipe, each setting that differs
/// from the recipe's in the order of the table, and the seed. Settings that change no weight are
/// left out. Characters that a shell could take for its own become _, and the whole is at most
/// 160 bytes long.
std::string run_name(const train::Config& config, const std::string& dataset);

}  // namespace unroll::run
