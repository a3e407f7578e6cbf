// The optimizer that the settings choose.
#pragma once

#include <memory>

#include "train/config.h"
#include "unroll/optim/optimizer.h"

namespace unroll::train {

std::unique_ptr<optim::Optimizer> make_optimizer(const Config& config,
                                                 const Parameters& parameters);

}  // namespace unroll::train
