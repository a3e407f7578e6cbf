// The steps of a run, and the messages of `unroll train` about its end.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/data_flags.h"
#include "app/progress.h"
#include "app/train_flags.h"
#include "core/clock.h"
#include "run/initial_model.h"
#include "run/training.h"

namespace unroll::app {

/// Reads "0.5s", or a number of steps. Throws UsageError.
run::CheckpointEvery parse_checkpoint_every(const std::string& text);

/// What a run does beside training.
struct Extras {
  bool report = false;    // write a page at the end
  bool diagnose = false;  // print the layers after each test
};

/// The data of a new run, and its settings when the data is known.
struct Prepared {
  train::Config config;
  std::shared_ptr<const data::Source> source;
  train::Provenance provenance;
  std::optional<run::InitialModel> initial;
};

/// Opens the data and the initial model that the settings name. Throws UsageError if a flag needs a
/// validation part that the data lacks. Throws FormatError if a config.json was given and its
/// data is another.
Prepared prepare(const TrainFlags::Result& settings, const DataFlags& data);

/// A run that is about to begin or to continue.
struct Run {
  const train::Config& config;
  const DataFlags& data;
  const data::Source& source;
  train::Trainer& trainer;
  run::RunFolder& folder;
  const std::optional<train::Checkpoint>& from;  // the one that the trainer resumed

  Output output;
  run::CheckpointEvery every;
  Clock::time_point start;  // of the program's work
  double loading;           // seconds
  Extras extras = {};
};

/// Makes the remaining steps and tells the user how they ended. Returns the exit code.
int train_to_end(const Run& run);

}  // namespace unroll::app
