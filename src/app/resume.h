// unroll train --resume RUN: going on with a run that did not end.
#pragma once

#include "app/train_flags.h"
#include "app/training.h"

namespace unroll::app {

struct ResumeFlags {
  std::string run;  // the folder
  const TrainFlags& train;
  const DataFlags& data;
  Output output;
  run::CheckpointEvery every;
};

/// Returns the exit code. Throws UsageError where flags contradict the run's settings, FormatError
/// where data, program or files are not the run's; every difference is listed.
int resume(const ResumeFlags& flags);

}  // namespace unroll::app
