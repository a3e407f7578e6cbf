// The listener that writes metrics.jsonl.
#pragma once

#include <string>
#include <utility>

#include "run/run_folder.h"
#include "train/listener.h"

namespace unroll::run {

/// Writes a line for every step and every evaluation into a run's folder. The folder must outlive
/// it.
class MetricsFile : public train::Listener {
 public:
  /// `dataset` is the name of the data set in the lines of evaluations.
  MetricsFile(RunFolder& folder, std::string dataset)
      : folder_(folder), dataset_(std::move(dataset)) {}

  void step(const train::StepResult& result) override { folder_.log(result); }
  void evaluation(const train::StepResult& result, const train::Evaluation& evaluation) override {
    folder_.log(result, evaluation, dataset_);
  }

 private:
  RunFolder& folder_;
  std::string dataset_;
};

}  // namespace unroll::run
