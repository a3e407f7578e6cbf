// The listener that decides when a run's checkpoints are written.
#pragma once

#include <cstdint>

#include "core/clock.h"
#include "run/run_folder.h"
#include "train/listener.h"

namespace unroll::run {

/// How often a checkpoint is written.
struct CheckpointEvery {
  double seconds = 60;
  std::int64_t steps = 0;  ///< if above 0, counts instead of the seconds
};

/// Writes checkpoints of a trainer into its run's folder, as often as `every` says. The clock
/// decides when a checkpoint is written, but never its content. Folder and trainer must outlive it.
class Checkpoints : public train::Listener {
 public:
  Checkpoints(RunFolder& folder, train::Trainer& trainer, const CheckpointEvery& every)
      : folder_(folder), trainer_(trainer), every_(every) {}

  bool stop() override;
  /// Writes a checkpoint of the current step, unless it already has. Throws FileError.
  void write();

 private:
  RunFolder& folder_;
  train::Trainer& trainer_;
  CheckpointEvery every_;
  Clock::time_point last_ = Clock::now();
  std::int64_t written_ = 0;  // the step of the last checkpoint
};

}  // namespace unroll::run
