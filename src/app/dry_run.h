// unroll train --dry-run: the settings that a run would have.
#pragma once

#include "app/data_flags.h"
#include "app/train_flags.h"

namespace unroll::app {

/// Prints every setting that has an effect, its value and the source of the value. Settings that
/// data or machine can't have are refused as in training; data that is not on this machine is not
/// fetched for that. Returns the exit code.
int dry_run(const TrainFlags& flags, const TrainFlags::Result& settings, const DataFlags& data,
            bool json);

}  // namespace unroll::app
