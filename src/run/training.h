// Training a run to its end, with checkpoints on the way.
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
  /// They hear of the run when its files are written. One whose stop() is true interrupts it.
  std::vector<train::Listener*> listeners = {};
};

/// How a run ended.
struct End {
  RunStatus status = RunStatus::finished;  ///< or interrupted, or diverged
  std::int64_t step = 0;                   ///< that the model was written after
  std::string folder, model;               ///< paths of the run and of its model.safetensors
  train::Evaluation evaluation;            ///< the last on the test set
  /// Of a run that diverged: why, and how good the weights are that it kept.
  std::optional<train::Diverged> diverged;
};

/// Makes the steps that are left, of a new run or, where the trainer has gone on from a checkpoint,
/// behind that. Writes metrics, checkpoints, the weights after single steps and the model.
/// Interrupted, the run can go on: it has a checkpoint of its last step. Throws FileError where a
/// file can't be written (folder.last_logged() is then the step that was reached), and what a
/// listener throws.
End train_to_end(train::Trainer& trainer, RunFolder& folder,
                 const std::optional<train::Checkpoint>& from, const TrainingOptions& options = {});

}  // namespace unroll::run
