// Training steps for workloads that train::Trainer does not cover: sequences of unequal lengths,
// and layers with each regulariser.
#pragma once

#include "bench/laps.h"
#include "bench/workload.h"
#include "unroll/data/dataset.h"

namespace unroll::bench {

/// Trains one recurrent layer and a readout until the laps are done. A lap is one step, as with the
/// Trainer.
void train_layer(const Workload& workload, const data::Dataset& set, Laps& laps);

}  // namespace unroll::bench
