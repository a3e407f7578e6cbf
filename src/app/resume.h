// unroll train --resume RUN: continues an unfinished run, or adds steps to a finished one.
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
  Extras extras = {};
};

/// Returns the exit code. Throws UsageError if flags contradict the run's settings, FormatError if
/// data, program or files differ from the run's. The message lists every difference.
int resume(const ResumeFlags& flags);

}  // namespace unroll::app
