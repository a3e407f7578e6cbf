// Going on with a run that did not end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "run/run_folder.h"
#include "train/checkpoint.h"
#include "train/config.h"

namespace unroll::run {

/// A run in its folder, which is locked while this lives. To go on with it, make a Trainer of its
/// settings and the same data, let it resume() from the checkpoint if there is one, and call
/// train_to_end().
class ResumedRun {
 public:
  /// Throws FileError where there is no run or another process has it; FormatError where it
  /// diverged (it would again), or where files are damaged or config.json was changed. `warn` hears
  /// of a damaged checkpoint whose predecessor takes its place.
  explicit ResumedRun(const std::string& path, const Warn& warn = {});

  /// A finished run has nothing left to do. Its files are as they were written.
  bool is_finished() const { return folder_.status() == RunStatus::finished; }
  RunFolder& folder() { return folder_; }
  const std::optional<train::Checkpoint>& checkpoint() const { return checkpoint_; }
  const train::Config& config() const { return settings_.config; }

  /// Which settings differ from the run's own, each a part of a sentence. Another folder may hold
  /// the same data: that is told by check_same_data() alone, once it is loaded.
  std::vector<std::string> other_settings(const train::Config& wanted) const;
  /// Throws FormatError, naming all that differs, where the data or the numerics are not those that
  /// the run began with.
  void check_same_data(const train::Provenance& now) const;

 private:
  train::LoadedConfig settings() const;

  RunFolder folder_;
  std::optional<train::Checkpoint> checkpoint_;
  train::LoadedConfig settings_;
};

}  // namespace unroll::run
