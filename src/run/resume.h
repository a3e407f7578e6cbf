// Resumes a run that did not end, or that gets more steps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "run/run_folder.h"
#include "train/checkpoint.h"
#include "train/config.h"

namespace unroll::run {

/// A run in its folder, which stays locked during the object's life. To resume the run, make a
/// Trainer with its settings and the same data. Call its resume() if there is a checkpoint, and
/// then train_to_end().
class ResumedRun {
 public:
  /// Throws FileError if there is no run, or another process uses it. Throws FormatError if the run
  /// diverged (it would diverge again), if files are damaged, if config.json was changed, or if
  /// this program's numerics have another revision. Calls `warn` if a checkpoint is damaged and the
  /// one before is used instead.
  explicit ResumedRun(const std::string& path, const Warn& warn = {});

  /// A finished run has no steps left, unless extend() gave it some. Its files were checked.
  bool is_finished() const { return folder_.status() == RunStatus::finished; }
  RunFolder& folder() { return folder_; }
  const std::optional<train::Checkpoint>& checkpoint() const { return checkpoint_; }
  const train::Config& config() const { return settings_.config; }
  /// How many classes its images have, for train::source_options().
  std::int64_t classes() const { return settings_.provenance.classes; }

  /// Throws FormatError if a finished run can't go on to the same weights: this program's numerics
  /// have another revision, or a refit ended the run.
  void check_can_be_extended() const;
  /// Lets a finished run make `more` steps, after all `steps` of its settings. Changes config() and
  /// finds checkpoint(). The folder stays as it is until train_to_end(). Throws FormatError
  /// if the run stopped before its last step, ValueError for a number of steps that no run can
  /// have.
  void extend(std::int64_t steps, std::int64_t more, const Warn& warn = {});

  /// The settings that differ from the run's own, each as part of a sentence. Another folder is no
  /// difference, because it may hold the same data: check_same_data() tells once it is loaded.
  std::vector<std::string> other_settings(const train::Config& wanted) const;
  /// Throws FormatError if the data differ from those that the run began with. The error names all
  /// differences.
  void check_same_data(const train::Provenance& now) const;

 private:
  train::LoadedConfig settings() const;
  void check_revision() const;

  RunFolder folder_;
  std::optional<train::Checkpoint> checkpoint_;
  train::LoadedConfig settings_;
};

}  // namespace unroll::run
