// The listener that writes a run's event file for TensorBoard.
#pragma once

#include <string>

#include "run/run_folder.h"
#include "train/listener.h"
#include "train/trainer.h"

namespace unroll::run {

/// Writes a record for every line that MetricsFile writes, after one record with the version of the
/// format. Folder and trainer must outlive it.
///
/// | record        | tags                                                                        |
/// |---------------|-----------------------------------------------------------------------------|
/// | step          | train/loss, train/gradient_norm, train/learning_rate                        |
/// | evaluation    | test/loss, test/METRIC, test/confusion (a picture), parameters/NAME and     |
/// |               | gradients/NAME (histograms); on other parts validation/ or training/        |
///
/// TensorBoard wants a time for each record, and no byte of a run may depend on the clock: the
/// number of the step stands for seconds. Source: tensorflow, event.proto, summary.proto.
class TensorBoard : public train::Listener {
 public:
  TensorBoard(RunFolder& folder, train::Trainer& trainer) : folder_(folder), trainer_(trainer) {}

  /// Call this after RunFolder::begin(). Begins the file, unless it has records.
  void begin();
  void step(const train::StepResult& result) override;
  /// Gradients are those that the last update used: after clipping.
  void evaluation(const train::StepResult& result, const train::Evaluation& evaluation) override;

 private:
  RunFolder& folder_;
  train::Trainer& trainer_;
};

}  // namespace unroll::run
