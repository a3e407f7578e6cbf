// The folder of a training run.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/file.h"
#include "data/sha256.h"
#include "run/manifest.h"
#include "train/checkpoint.h"
#include "train/config.h"
#include "train/trainer.h"

namespace unroll::run {

/// Whether a run gives one of its files that name.
bool is_name_of_a_run(std::string_view name);

/// Hears of trouble that was got over.
using Warn = std::function<void(const std::string&)>;

/// Whether a new run can begin in a folder: there is none, or nothing is in it but what a start
/// left that was killed at once. Throws ValueError where not: it is never emptied for a run.
void check_is_free(const std::string& path);

/// Makes and fills a run's folder: config.json, metrics.jsonl, model.safetensors,
/// step_N.safetensors, the last two checkpoint_N.safetensors, and manifest.json with the hashes of
/// them. Nothing in it but the checkpoints' steps depends on the time, or on the number of threads
/// but for the settings that say so.
///
/// Killed at any moment, it holds files that are as the manifest lists them, and the run goes on.
/// Only files that the manifest lists are ever replaced or removed, and temporary files of theirs.
/// Renamed at any moment, it is still the folder that the run writes to.
class RunFolder {
 public:
  /// A new one. `wanted` as the user gave it; empty: runs/NAME, numbered where that is taken, with
  /// the name of the data set that was loaded (which may be another than the one wished for).
  /// Throws ValueError where check_is_free() does, FileError where it can't be made.
  RunFolder(const std::string& wanted, const train::Config& config,
            const train::Provenance& provenance, const std::string& dataset);
  /// That of a run which is to go on; nothing in it changes before begin(). Throws FormatError for
  /// damage, FileError where there is no run or another process has it.
  explicit RunFolder(const std::string& path);

  std::string path() const { return folder_.path(); }  // where it is now
  std::string file(std::string_view name) const { return folder_.path_of(name); }
  int write_error() const { return folder_.write_error(); }  // as of Folder
  RunStatus status() const { return manifest_.status; }
  std::int64_t step() const { return manifest_.step; }  ///< that the model was written after

  /// The last checkpoint that is as it was written, whose damaged successors `warn` hears of;
  /// nothing where none was made. Throws FormatError where all are damaged.
  std::optional<train::Checkpoint> last_checkpoint(const Warn& warn = {}) const;
  /// Throws FormatError, naming each file that is not as the manifest lists it.
  void check_files() const;
  /// config.json as it is, and whether it is as it was written.
  const std::string& config() const { return config_; }
  bool config_is_intact() const { return manifest_.is_intact(folder_, "config.json"); }
  /// Before the first step of this process: the metrics are cut to those of the checkpoint.
  void begin(const std::optional<train::Checkpoint>& checkpoint);

  void log(const train::StepResult& step);
  /// The last step that was logged, or could not be; before the first, that of the checkpoint.
  std::int64_t last_logged() const { return last_logged_; }
  void log(const train::StepResult& step, const train::Evaluation& evaluation,
           const std::string& dataset);
  void log(const train::Diverged& diverged);

  /// A file with its hash, atomically. Throws FileError, as do the next two; what was there before
  /// is still there then.
  void save(const std::string& name, std::span<const std::byte> content);
  /// Two are kept, this and the one before.
  void save_checkpoint(train::Checkpoint checkpoint);
  /// The same of a step before the last one logged. Checkpoints of later steps are removed.
  void save_earlier_checkpoint(train::Checkpoint checkpoint);
  /// The model as it is after `step`, with which the run ends or stops.
  void end(RunStatus status, std::int64_t step, std::span<const std::byte> model);

 private:
  void write_line(const std::string& line);
  void replace(const std::string& name, std::span<const std::byte> content);
  void remove(const std::vector<std::string>& names);
  void refuse_what_is_not_its_own() const;
  void write_checkpoint(train::Checkpoint& checkpoint);
  std::map<std::int64_t, std::string> checkpoints() const;  // those listed, by their step

  Folder folder_;
  Manifest manifest_;
  std::string config_;
  std::optional<AppendingFile> metrics_;
  data::Sha256 metrics_hash_;
  std::uint64_t metrics_bytes_ = 0;
  std::int64_t last_logged_ = 0;
};

}  // namespace unroll::run
