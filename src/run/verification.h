// Whether a run's files are those that its settings lead to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/folder.h"
#include "run/file_comparison.h"
#include "run/manifest.h"
#include "train/config.h"
#include "train/listener.h"
#include "train/trainer.h"

namespace unroll::run {

/// A run that ended, which is made again in memory and compared; its folder is only read. If
/// can_be_repeated(), call has_same_data(), train_again() and finish(), in this order.
class Verification {
 public:
  /// Compares the files with the manifest's hashes. Throws FileError, FormatError where there is no
  /// manifest or the run did not end, and what train::config_from_json() throws. `tell` hears of
  /// every finding, in the order in which they are made.
  Verification(const std::string& path, Found tell);
  Verification(const Verification&) = delete;
  Verification& operator=(const Verification&) = delete;

  /// False where config.json is damaged, or no model can be read.
  bool can_be_repeated() const { return can_be_repeated_; }
  /// The run's settings, if it can be repeated.
  const train::Config& config() const { return settings_.config; }
  /// Whether data and numerics are those that the run was made with; a finding tells what differs.
  bool has_same_data(const train::Provenance& now);
  /// Trains again, to where the run ended, with a new trainer of config() and the same data.
  /// Compares checkpoints and the weights after single steps. Returns the number of steps made.
  /// `listeners` hear of them too; one whose stop() is true ends it all.
  std::int64_t train_again(train::Trainer& trainer,
                           const std::vector<train::Listener*>& listeners = {});
  /// Compares the end of the run, its metrics and its model, which the trainer has made again.
  /// Returns whether all findings were good.
  bool finish(train::Trainer& trainer);

 private:
  void found(const Finding& finding);

  Folder folder_;
  Found tell_;
  Manifest manifest_;
  FileComparison files_;
  std::string config_text_;
  train::LoadedConfig settings_;
  bool can_be_repeated_ = false, good_ = true;

  // The run that was made again.
  RunStatus status_ = RunStatus::finished;
  std::int64_t kept_ = 0;  // the step up to which its weights are
  std::string metrics_;    // the lines of metrics.jsonl
};

}  // namespace unroll::run
