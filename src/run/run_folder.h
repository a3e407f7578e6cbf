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

/// Checks that a new run can begin in a folder: it does not exist, is empty, or holds only what a
/// run left that was killed at its start. Throws ValueError otherwise; nothing is ever removed.
void check_is_free(const std::string& path);

/// The folder of a run, locked by this process while the object lives. It holds config.json,
/// metrics.jsonl, model.safetensors, step_N.safetensors, the last two checkpoint_N.safetensors, and
/// manifest.json with their hashes. Which steps have checkpoints may depend on the time; no byte of
/// any other file does, nor on the number of threads (which config.json states).
///
/// A process that is killed at any moment leaves files that are as the manifest lists them, so that
/// the run can go on. Only files that the manifest lists, and their temporary files, are ever
/// replaced or removed. A folder that is renamed is still the folder that the run writes to.
class RunFolder {
 public:
  /// Makes the folder of a new run at `wanted`. If that is empty, makes runs/NAME, and runs/NAME-2
  /// and so on if NAME is taken. Throws what check_is_free() throws, and FileError if the folder
  /// can't be made.
  RunFolder(const std::string& wanted, const train::Config& config,
            const train::Provenance& provenance, const std::string& name);
  /// Opens the folder of a run that is to go on; nothing in it changes before begin(). Throws
  /// FormatError for damage, FileError where there is no run or another process has it.
  explicit RunFolder(const std::string& path);

  std::string path() const { return folder_.path(); }  ///< where it is now
  std::string file(std::string_view name) const { return folder_.path_of(name); }
  int write_error() const { return folder_.write_error(); }  ///< as Folder::write_error()
  RunStatus status() const { return manifest_.status; }
  std::int64_t step() const { return manifest_.step; }  ///< that the model was written after

  /// The last checkpoint that is as it was written; nothing where the run has made none. `warn`
  /// hears of later ones that are damaged. Throws FormatError where all are damaged.
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

  /// Writes a file and its hash, atomically. Throws FileError, as do the next two functions; the
  /// folder then holds what it held before.
  void save(const std::string& name, std::span<const std::byte> content);
  /// Writes a checkpoint of the last logged step. It and the one before are kept.
  void save_checkpoint(train::Checkpoint checkpoint);
  /// Writes a checkpoint of a step before the last logged one. Checkpoints of later steps are
  /// removed.
  void save_earlier_checkpoint(train::Checkpoint checkpoint);
  /// Writes the model as it is after `step`, with which the run ends or stops.
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
