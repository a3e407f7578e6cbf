// Training steps of what train::Trainer does not train: sequences of unequal lengths, and layers
// with regularisers.
#pragma once

#include "bench/laps.h"
#include "bench/workload.h"
#include "unroll/data/dataset.h"

namespace unroll::bench {

/// Trains one recurrent layer and a readout until the laps are done; a lap is what it is with a
/// Trainer.
void train_layer(const Workload& workload, const data::Dataset& set, Laps& laps);

}  // namespace unroll::bench
