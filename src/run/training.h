// Trains a run to its end and writes its files, with checkpoints on the way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "run/checkpoints.h"
#include "run/manifest.h"
#include "run/run_folder.h"
#include "train/listener.h"
#include "train/trainer.h"

namespace unroll::run {

struct TrainingOptions {
  CheckpointEvery every = {};
  /// Called after the run's own listeners have written the files. A stop() that returns true
  /// interrupts the run.
  std::vector<train::Listener*> listeners = {};
  bool tensorboard = false;  ///< write an event file; give the run's Config::tensorboard
};

/// How a run ended.
struct End {
  RunStatus status = RunStatus::finished;  ///< or interrupted, or diverged
  std::int64_t step = 0;                   ///< the step of the written model
  std::string folder, model;               ///< paths of the run and of its model.safetensors
  train::Evaluation evaluation;            ///< the last one on the test set
  /// Set if the run diverged: the reason, and the evaluation of the weights that it kept.
  std::optional<train::Diverged> diverged;
};

/// Makes the remaining steps of a new run, or of one that the trainer resumed from the checkpoint
/// `from`. Writes metrics, checkpoints, the weights after single steps, and the model. An
/// interrupted run has a checkpoint of its last step and can be resumed. Throws FileError if a file
/// can't be written; folder.last_logged() is then the last step reached. Passes on exceptions of
/// listeners.
End train_to_end(train::Trainer& trainer, RunFolder& folder,
                 const std::optional<train::Checkpoint>& from, const TrainingOptions& options = {});

}  // namespace unroll::run
