// Taking a run to its end, with checkpoints on the way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/data_flags.h"
#include "app/material.h"
#include "app/progress.h"
#include "core/clock.h"
#include "run/run_folder.h"

namespace unroll::app {

/// How often a checkpoint is written.
struct CheckpointEvery {
  double seconds = 60;
  std::int64_t steps = 0;  // where more than 0, instead of the seconds
};

/// "0.5s", or a number of steps. Throws UsageError.
CheckpointEvery parse_checkpoint_every(const std::string& text);

/// What a new run and one that goes on have in common, once they are to begin.
struct Run {
  const train::Config& config;
  const DataFlags& data;
  const Material& material;
  train::Trainer& trainer;
  run::RunFolder& folder;
  std::optional<train::Checkpoint> from;  // what the trainer goes on from

  Output output;
  CheckpointEvery every;
  Clock::time_point start;  // of the program's work
  double loading;           // seconds
};

/// Makes the steps that are left. Returns the exit code; the user has been told all there is to
/// say.
int train_to_end(const Run& run);

}  // namespace unroll::app
