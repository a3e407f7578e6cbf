// unroll train with --seeds, --folds or --sweep: several runs in one folder.
#pragma once

#include <string>

#include "app/run_set.h"
#include "app/training.h"

namespace unroll::app {

/// What a set of runs shares.
struct SetOfRuns {
  const SetFlags& set;
  const TrainFlags& train;
  const DataFlags& data;
  std::string out;  // the folder; empty: runs/NAME
  Output output;
  run::CheckpointEvery every;
};

/// Makes the runs, each in a process, as many at a time as there are threads to use. Runs of an
/// earlier call that have finished stay as they are, and others go on. The runs of a sweep leave
/// the test part unread; then the best ones are tested. Writes summary.json, prints a table and
/// returns the exit code. Throws UsageError for a folder with other runs.
int train_set(const SetOfRuns& job);

}  // namespace unroll::app
