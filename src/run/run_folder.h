// The folder of a training run.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/file.h"
#include "run/growing_file.h"
#include "run/manifest.h"
#include "train/checkpoint.h"
#include "train/config.h"
#include "train/trainer.h"

namespace unroll::run {

/// Whether a file of a run can have this name.
bool is_name_of_a_run(std::string_view name);

/// Called with a warning about trouble that was overcome.
using Warn = std::function<void(const std::string&)>;

/// Checks that a new run can begin in a folder. The folder must not exist, or be empty, or only
/// hold the files of a run that was killed at its start. Throws ValueError otherwise. Never removes
/// anything.
void check_is_free(const std::string& path);

/// The folder of a run. This process locks it during the object's life. It holds config.json,
/// metrics.jsonl, model.safetensors, step_N.safetensors, the last two checkpoint_N.safetensors,
/// TensorBoard's event file if it is wanted, and manifest.json with their hashes. The clock may
/// decide which steps have checkpoints. No other byte depends on the clock or on the number of
/// threads, except that config.json states that number.
///
/// If a process is killed at any moment, the files are as the manifest lists them, so the run can
/// be resumed. Only files that the manifest lists, and their temporary files, are ever replaced or
/// removed. If the folder is renamed, the run still writes to it.
class RunFolder {
 public:
  /// Makes the folder of a new run at `wanted`. If that is empty, makes runs/NAME, and runs/NAME-2
  /// and so on if NAME is taken. Throws what check_is_free() throws, and FileError if the folder
  /// can't be made.
  RunFolder(const std::string& wanted, const train::Config& config,
            const train::Provenance& provenance, const std::string& name);
  /// Opens the folder of a run to resume. Changes nothing in it before begin(). Throws FormatError
  /// for damage, FileError if there is no run or another process uses it.
  explicit RunFolder(const std::string& path);

  std::string path() const { return folder_.path(); }  ///< its current path
  std::string file(std::string_view name) const { return folder_.path_of(name); }
  int write_error() const { return folder_.write_error(); }  ///< as Folder::write_error()
  RunStatus status() const { return manifest_.status; }
  std::int64_t step() const { return manifest_.step; }  ///< the step of the written model

  /// The last undamaged checkpoint; nullopt if the run has made none. Calls `warn` for later ones
  /// that are damaged. Throws FormatError if all are damaged.
  std::optional<train::Checkpoint> last_checkpoint(const Warn& warn = {}) const;
  /// Throws FormatError, which names each file that is not as the manifest lists it.
  void check_files() const;
  /// The text of config.json, and whether it is unchanged.
  const std::string& config() const { return config_; }
  bool config_is_intact() const { return manifest_.is_intact(folder_, "config.json"); }
  /// The sizes of all files with hashes.
  std::map<std::string, std::uint64_t> files() const;
  /// Lets a finished run go on with another config.json, which begin() writes. Throws FormatError
  /// for files that are not its own.
  void extend(std::string config);
  /// Call this before the first step. Cuts the metrics to those of the checkpoint. With `events`
  /// the run has an event file, which is cut as well: then log each step and evaluation as an
  /// event, too. Throws FormatError if the event file is damaged.
  void begin(const std::optional<train::Checkpoint>& checkpoint, bool events = false);

  void log(const train::StepResult& step);
  /// The last step that was logged, or could not be logged. Before the first, the checkpoint's
  /// step.
  std::int64_t last_logged() const { return last_logged_; }
  void log(const train::StepResult& step, const train::Evaluation& evaluation,
           const std::string& dataset);
  void log(const train::Diverged& diverged);
  bool has_events() const { return events_ && events_->bytes() > 0; }
  void log_event(std::string_view record);
  void flush_events();

  /// Writes a file and its hash, atomically. Throws FileError, as do the next two functions; the
  /// folder then has its old content.
  void save(const std::string& name, std::span<const std::byte> content);
  /// Writes a checkpoint of the last logged step. Keeps this one and the one before.
  void save_checkpoint(train::Checkpoint checkpoint);
  /// Writes a checkpoint of a step before the last logged one. Removes checkpoints of later steps.
  void save_earlier_checkpoint(train::Checkpoint checkpoint);
  /// Writes the model after `step`, the step at which the run ends or stops.
  void end(RunStatus status, std::int64_t step, std::span<const std::byte> model);

 private:
  void write_line(const std::string& line);
  void sync();
  std::uint64_t events_at(const train::Checkpoint& checkpoint) const;
  void replace(const std::string& name, std::span<const std::byte> content);
  void remove(const std::vector<std::string>& names);
  void refuse_what_is_not_its_own() const;
  void write_checkpoint(train::Checkpoint& checkpoint);
  std::map<std::int64_t, std::string> checkpoints() const;  // those in the manifest, by step

  Folder folder_;
  Manifest manifest_;
  std::string config_;
  std::optional<GrowingFile> metrics_, events_;
  std::int64_t last_logged_ = 0;
};

}  // namespace unroll::run
