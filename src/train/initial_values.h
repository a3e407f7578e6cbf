// The first values of a model's weights.
#pragma once

#include "train/config.h"
#include "train/network.h"
#include "unroll/core/random.h"

namespace unroll::train {

/// Draws the values that Config::init asks for. The model has those of PyTorch's layers already.
void set_initial_values(Network& model, const Config& config, Generator& generator);

}  // namespace unroll::train
