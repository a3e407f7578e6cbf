// Checks whether a run's files are those that its settings produce.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/folder.h"
#include "run/file_comparison.h"
#include "run/manifest.h"
#include "train/config.h"
#include "train/listener.h"
#include "train/trainer.h"

namespace unroll::run {

/// Repeats a run in memory and compares it with the files in its folder, which it only reads. The
/// run must have ended. If can_be_repeated() is true, call has_same_data(), train_again() and
/// finish(), in this order.
class Verification {
 public:
  /// Compares the files with the manifest's hashes, and calls `tell` for every finding, in order.
  /// Throws FileError, FormatError if there is no manifest or the run did not end, and the errors
  /// of train::config_from_json().
  Verification(const std::string& path, Found tell);
  Verification(const Verification&) = delete;
  Verification& operator=(const Verification&) = delete;

  /// False if config.json is damaged, the model can't be read, or this program's numerics have
  /// another revision.
  bool can_be_repeated() const { return can_be_repeated_; }
  /// The run's settings, if it can be repeated.
  const train::Config& config() const { return settings_.config; }
  /// How many classes its images have, for train::source_options().
  std::int64_t classes() const { return settings_.provenance.classes; }
  /// Whether the run was made with the same data. If not, a finding names the differences.
  bool has_same_data(const train::Provenance& now);
  /// Trains again up to the step at which the run ended. Needs a new trainer with config() and the
  /// same data. Compares checkpoints and the weights after single steps. Returns the number of
  /// steps made. Calls `listeners` too; a stop() that returns true ends the training.
  std::int64_t train_again(train::Trainer& trainer,
                           const std::vector<train::Listener*>& listeners = {});
  /// Compares the run's end, metrics and model with those that were made again. Returns whether all
  /// findings are good.
  bool finish(train::Trainer& trainer);
  /// Instead of train_again() and finish(): trains again on data whose test part is noise, and
  /// compares only the model. If it has the same bits, the test part had no influence. Needs a new
  /// trainer whose source differs from the run's in the test part alone. Returns whether all
  /// findings are good.
  bool train_without_test(train::Trainer& trainer,
                          const std::vector<train::Listener*>& listeners = {});

 private:
  void found(const Finding& finding);
  void compare_end();

  Folder folder_;
  Found tell_;
  Manifest manifest_;
  FileComparison files_;
  std::string config_text_;
  train::LoadedConfig settings_;
  std::optional<std::string> written_metrics_;  // metrics.jsonl; nothing if it can't be read
  bool can_be_repeated_ = false, good_ = true;

  // The repeated run.
  RunStatus status_ = RunStatus::finished;
  std::int64_t kept_ = 0;  // the step of its weights
  std::string metrics_;    // the lines of metrics.jsonl
};

}  // namespace unroll::run
