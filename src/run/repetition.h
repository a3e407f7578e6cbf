// The listener that compares a repeated run with the run in a folder.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "run/file_comparison.h"
#include "run/manifest.h"
#include "train/listener.h"
#include "train/trainer.h"

namespace unroll::run {

/// Makes the lines of metrics.jsonl again. Compares checkpoints and the weights after single steps
/// while the trainer makes them. Stops at the step at which the run was interrupted. Its arguments
/// must outlive it.
class Repetition : public train::Listener {
 public:
  /// `config` is the text of config.json, and `written` that of metrics.jsonl. Every checkpoint has
  /// the first, and the hash of the second up to its step.
  Repetition(const Manifest& manifest, const std::string& config, std::string written,
             FileComparison& files, train::Trainer& trainer)
      : manifest_(manifest),
        config_(config),
        written_(std::move(written)),
        files_(files),
        trainer_(trainer) {}

  void step(const train::StepResult& result) override;
  void save(std::int64_t step) override;
  void evaluation(const train::StepResult& result, const train::Evaluation& evaluation) override;
  bool stop() override;
  /// Call this when the trainer diverged and has gone back to its last good step.
  void diverged(const train::Diverged& diverged);

  std::int64_t steps() const { return steps_; }  ///< steps made so far
  const std::string& metrics() const { return metrics_; }

 private:
  void compare_checkpoint(std::int64_t step);

  const Manifest& manifest_;
  const std::string& config_;
  const std::string written_;
  FileComparison& files_;
  train::Trainer& trainer_;
  std::int64_t steps_ = 0;
  std::string metrics_;
};

}  // namespace unroll::run
