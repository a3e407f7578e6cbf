// What `unroll train` says of a run on its way to its end.
#pragma once

#include <optional>
#include <string>

#include "app/data_flags.h"
#include "app/progress.h"
#include "core/clock.h"
#include "run/training.h"

namespace unroll::app {

/// "0.5s", or a number of steps. Throws UsageError.
run::CheckpointEvery parse_checkpoint_every(const std::string& text);

/// What a new run and one that goes on have in common, once they are to begin.
struct Run {
  const train::Config& config;
  const DataFlags& data;
  const data::Source& source;
  train::Trainer& trainer;
  run::RunFolder& folder;
  const std::optional<train::Checkpoint>& from;  // what the trainer goes on from

  Output output;
  run::CheckpointEvery every;
  Clock::time_point start;  // of the program's work
  double loading;           // seconds
};

/// Makes the steps that are left. Returns the exit code; the user has been told all there is to
/// say.
int train_to_end(const Run& run);

}  // namespace unroll::app
