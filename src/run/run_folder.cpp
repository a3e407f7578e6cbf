#include "run/run_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <limits>

#include "core/shell_word.h"
#include "run/file_names.h"
#include "run/metrics.h"
#include "run/tfrecord.h"
#include "unroll/core/error.h"

namespace unroll::run {
namespace {

namespace fs = std::filesystem;

/// Whether the file is empty or the start of a config.json, as left by a run that was killed while
/// writing it.
bool is_start_of_a_config(const Folder& folder, const std::string& name) {
  static const std::string kStart = [] {
    const std::string whole = train::to_json({}, {});
    return whole.substr(0, whole.find(':'));
  }();
  try {
    const std::string text = train::read_config("train", folder, name);
    const std::size_t both = std::min(text.size(), kStart.size());
    return text.compare(0, both, kStart, 0, both) == 0;
  } catch (const FileError&) {
    return false;
  }
}

void refuse_if_taken(const Folder& folder) {
  const auto refuse = [&](const std::string& why) {
    throw ValueError("train", fmt::format("--out {} {}", folder.path(), why));
  };
  if (folder.has(config_file) || folder.has(model_file))
    refuse(
        fmt::format("already holds a run; name another folder, remove this one first, or resume "
                    "the run: unroll train --resume {}",
                    shell_word(folder.path())));
  for (const std::string& name : folder.names())
    if (!is_temporary_of(config_file, name) || !is_start_of_a_config(folder, name))
      refuse(fmt::format("is not empty: {} is in it; name a new folder, or an empty one", name));
}

/// Makes runs/NAME, or NAME-2 and so on if that is taken. Creating the folder takes the name, so
/// two runs that start at once never share a folder.
std::string make_free_folder(const std::string& name) {
  std::error_code error;
  fs::create_directories("runs", error);
  std::string path = "runs/" + name;
  for (int i = 2; !error && !fs::create_directory(path, error) && !error; ++i)
    path = fmt::format("runs/{}-{}", name, i);
  if (error) throw FileError("train", fmt::format("can't make {}: {}", path, error.message()));
  return path;
}

std::string make_folder(const std::string& wanted, const std::string& name) {
  if (wanted.empty()) return make_free_folder(name);
  run::check_is_free(wanted);
  std::error_code error;
  fs::create_directories(wanted, error);
  if (error) throw FileError("train", fmt::format("can't make {}: {}", wanted, error.message()));
  return wanted;
}

constexpr std::string_view kCheckpoint = checkpoint_start, kStep = step_start,
                           kEnding = tensors_ending;

/// The step in the name of a checkpoint, or with kStep in the name of a step's weights. nullopt for
/// other names.
std::optional<std::int64_t> step_in(std::string_view name, std::string_view prefix = kCheckpoint) {
  if (!name.starts_with(prefix) || !name.ends_with(kEnding)) return std::nullopt;
  const std::string_view digits =
      name.substr(prefix.size(), name.size() - prefix.size() - kEnding.size());
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return step;
}

const std::string& existing(const std::string& path) {
  std::error_code ignored;
  // If it exists but is no folder, opening it as a Folder throws an error.
  if (!fs::exists(path, ignored))
    throw FileError("resume", fmt::format("there is no folder {}; name the folder of a run: the "
                                          "one given to --out, or the one that training printed",
                                          path));
  return path;
}

}  // namespace

bool is_name_of_a_run(std::string_view name) {
  return name == config_file || name == metrics_file || name == model_file ||
         name == samples_file || name == predictions_file || name == events_file ||
         name == Manifest::file_name || step_in(name) || step_in(name, kStep);
}

void check_is_free(const std::string& path) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status))
    throw ValueError("train", fmt::format("--out {} is not a folder; name a new one", path));
  refuse_if_taken(Folder("train", path));
}

RunFolder::RunFolder(const std::string& wanted, const train::Config& config,
                     const train::Provenance& provenance, const std::string& name)
    : folder_("train", make_folder(wanted, name)), config_(train::to_json(config, provenance)) {
  folder_.lock("train");
  refuse_if_taken(folder_);  // check again: another process may have been faster
  const auto content = std::as_bytes(std::span(config_));
  // The only file that is written before the manifest. From then on, the manifest lists the run's
  // files.
  write_file("train", folder_, config_file, content);
  manifest_.files[config_file] = {hash_of(content)};
  manifest_.write(folder_);
}

RunFolder::RunFolder(const std::string& path) : folder_("resume", existing(path)) {
  folder_.lock("resume");
  auto manifest = Manifest::read(folder_);
  if (!folder_.has(config_file))
    throw FileError(
        "resume",
        manifest ? fmt::format("{} is missing; restore it from a copy, or train again",
                               file(config_file))
                 : fmt::format("{} has no run, because it has no config.json; name the folder of a "
                               "run, or start one in it: unroll train DATASET --out {}",
                               path, shell_word(path)));
  config_ = train::read_config("resume", folder_, config_file);
  if (manifest) {
    manifest_ = std::move(*manifest);
    refuse_what_is_not_its_own();
    return;
  }
  // The run was killed before it wrote the manifest, so it has written no other file.
  for (const std::string& name : folder_.names())
    if (name == metrics_file || name == events_file || name.ends_with(kEnding))
      throw FormatError("resume", fmt::format("{} has no manifest.json, so it is not certain that "
                                              "{} belongs to the run and is undamaged; train "
                                              "again: unroll train --config {}",
                                              path, name, shell_word(file(config_file))));
  manifest_.files[config_file] = {hash_of(std::as_bytes(std::span(config_)))};
}

/// Refuses foreign files before any work, not when the run would overwrite them.
void RunFolder::refuse_what_is_not_its_own() const {
  if (status() == RunStatus::finished || status() == RunStatus::diverged) return;
  for (const std::string& name : folder_.names()) {
    const bool grows = name == metrics_file || name == events_file;
    const bool unlisted = grows || name == Manifest::file_name;  // while it goes on
    if (is_name_of_a_run(name) && !unlisted && !manifest_.lists(name))
      throw FormatError("resume", fmt::format("{} is not this run's: manifest.json does not list "
                                              "it; move it to another folder",
                                              file(name)));
    // Throws if it is no regular file.
    if (grows || manifest_.lists(name)) const InputFile look("resume", folder_, name);
  }
}

std::map<std::int64_t, std::string> RunFolder::checkpoints() const {
  std::map<std::int64_t, std::string> all;
  for (const auto& [name, hashes] : manifest_.files)
    if (const auto step = step_in(name)) all[*step] = name;
  return all;
}

std::optional<train::Checkpoint> RunFolder::last_checkpoint(const Warn& warn) const {
  auto all = checkpoints();
  std::erase_if(all, [&](const auto& one) {
    return manifest_.may_be_missing(one.second) && !folder_.has(one.second);
  });
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    try {
      auto checkpoint =
          train::checkpoint_from(manifest_.load(folder_, at->second), file(at->second));
      const auto metrics = hash_of_start(folder_, metrics_file, checkpoint.metrics_bytes);
      if (metrics.digits() != checkpoint.metrics_sha256)
        throw FormatError("resume",
                          fmt::format("{} is damaged: its first {} bytes are not those that {} "
                                      "was written with",
                                      file(metrics_file), checkpoint.metrics_bytes, at->second));
      if (folder_.has(events_file)) events_at(checkpoint);
      return checkpoint;
    } catch (const Error& error) {
      if (warn) warn(error.what());
      if (const auto before = std::next(at); warn && before != all.rend())
        warn(fmt::format("Going back to the checkpoint before, {}.", before->second));
    }
  }
  if (all.empty()) return std::nullopt;
  throw FormatError("resume", fmt::format("no checkpoint of {} can be used; train again: unroll "
                                          "train --config {}",
                                          path(), shell_word(file(config_file))));
}

std::map<std::string, std::uint64_t> RunFolder::files() const {
  std::map<std::string, std::uint64_t> sizes;
  for (const auto& [name, hashes] : manifest_.files) sizes[name] = hashes.back().bytes;
  return sizes;
}

/// The size of the event file at a checkpoint: TensorBoard writes a record at the start, and one
/// for each line of the metrics.
std::uint64_t RunFolder::events_at(const train::Checkpoint& checkpoint) const {
  const std::string all =
      read_text("resume", folder_, metrics_file, std::numeric_limits<std::uint64_t>::max());
  const auto lines = std::string_view(all).substr(0, checkpoint.metrics_bytes);
  const auto records = 1 + std::count(lines.begin(), lines.end(), '\n');
  const auto refuse = [&](const std::string& what) {
    throw FormatError("resume",
                      fmt::format("{} {}; restore it from a copy, or train again: unroll "
                                  "train --config {}",
                                  file(events_file), what, shell_word(file(config_file))));
  };
  if (!folder_.has(events_file)) refuse("is missing");
  const auto size = size_of_records(InputFile("resume", folder_, events_file),
                                    static_cast<std::uint64_t>(records));
  if (!size)
    refuse(
        fmt::format("is damaged: its first {} records, up to step {}, are not as they were "
                    "written",
                    records, checkpoint.last.step));
  return *size;
}

void RunFolder::check_files() const {
  const auto damage = manifest_.damage(folder_);
  if (damage.empty()) return;
  std::vector<std::string> all;
  for (const auto& [name, what] : damage) all.push_back(fmt::format("{} {}", name, what));
  const std::string again = damage.contains(config_file)
                                ? ""
                                : fmt::format(", or train again: unroll train --config {}",
                                              shell_word(file(config_file)));
  throw FormatError("resume", fmt::format("the run in {} is damaged: {}; restore these files from "
                                          "a copy{}",
                                          path(), fmt::join(all, "; "), again));
}

void RunFolder::extend(std::string config) {
  manifest_.status = RunStatus::training;
  refuse_what_is_not_its_own();
  config_ = std::move(config);
}

void RunFolder::begin(const std::optional<train::Checkpoint>& checkpoint, bool has_events) {
  const std::int64_t step = checkpoint ? checkpoint->last.step : 0;
  const std::uint64_t events_bytes = has_events && checkpoint ? events_at(*checkpoint) : 0;
  last_logged_ = step;
  manifest_.status = RunStatus::training;
  manifest_.files.erase(metrics_file);
  if (has_events) manifest_.files.erase(events_file);
  // A run that was extended has another config.json, and its checkpoint has the text of the old
  // one.
  if (const auto text = std::as_bytes(std::span(config_));
      manifest_.files.at(config_file) != std::vector{hash_of(text)})
    replace(config_file, text);
  const bool extended = checkpoint && checkpoint->config != config_;
  // Remove files of steps after the checkpoint, samples and predictions of the end, and finish
  // replacements that were interrupted.
  std::vector<std::string> old;
  for (auto& [name, hashes] : manifest_.files) {
    const bool missing = manifest_.may_be_missing(name) && !folder_.has(name);
    const std::int64_t made_at = step_in(name).value_or(step);
    if (missing || made_at > step || (extended && made_at < step) || name == samples_file ||
        name == predictions_file)
      old.push_back(name);
    else
      std::erase(hashes, FileHash{});
  }
  std::vector<std::string> temporary;
  for (const std::string& name : folder_.names()) {
    bool is_one = is_temporary_of(Manifest::file_name, name);
    for (const auto& [listed, hashes] : manifest_.files) is_one |= is_temporary_of(listed, name);
    if (is_one) temporary.push_back(name);
  }
  remove(old);
  for (const std::string& name : temporary) remove_file("train", folder_, name);
  if (extended) {
    train::Checkpoint same = *checkpoint;
    same.config = config_;
    save(checkpoint_file(step), train::to_bytes(same));
  }
  metrics_.emplace(folder_, metrics_file, checkpoint ? checkpoint->metrics_bytes : 0);
  if (has_events) events_.emplace(folder_, events_file, events_bytes);
}

void RunFolder::write_line(const std::string& line) { metrics_->append(line + '\n'); }

void RunFolder::log(const train::StepResult& step) {
  last_logged_ = step.step;
  write_line(metrics_line(step));
}

void RunFolder::log(const train::StepResult& step, const train::Evaluation& evaluation,
                    const std::string& dataset) {
  write_line(with_inside(metrics_line(step, evaluation, dataset), evaluation));
  metrics_->flush();
}

void RunFolder::log(const train::Diverged& diverged) {
  write_line(with_inside(metrics_line(diverged), diverged.evaluation));
}

void RunFolder::log_event(std::string_view record) { events_->append(record); }

void RunFolder::flush_events() { events_->flush(); }

/// Writes the manifest before and after, so that it lists the actual content at every moment.
void RunFolder::replace(const std::string& name, std::span<const std::byte> content) {
  if (!manifest_.lists(name)) {
    if (folder_.has(name))
      throw FileError("train", fmt::format("{} is not this run's: manifest.json does not list it; "
                                           "move it to another folder",
                                           file(name)));
    manifest_.files[name] = {FileHash{}};
  }
  const FileHash hash = hash_of(content);
  manifest_.files[name].push_back(hash);
  manifest_.write(folder_);
  write_file("train", folder_, name, content);
  manifest_.files[name] = {hash};
}

/// Removes files that the manifest lists. Until the manifest is written again, it says that they
/// may be missing.
void RunFolder::remove(const std::vector<std::string>& names) {
  for (const std::string& name : names) manifest_.files.at(name).emplace_back();
  manifest_.write(folder_);
  for (const std::string& name : names) {
    remove_file("train", folder_, name);
    manifest_.files.erase(name);
  }
}

void RunFolder::save(const std::string& name, std::span<const std::byte> content) {
  replace(name, content);
  manifest_.write(folder_);
}

/// Everything that was logged reaches the disk.
void RunFolder::sync() {
  metrics_->sync();
  if (events_) events_->sync();
}

void RunFolder::save_checkpoint(train::Checkpoint checkpoint) {
  sync();
  const FileHash metrics = metrics_->hash();
  checkpoint.metrics_bytes = metrics.bytes;
  checkpoint.metrics_sha256 = metrics.sha256;
  write_checkpoint(checkpoint);
}

void RunFolder::save_earlier_checkpoint(train::Checkpoint checkpoint) {
  sync();
  const std::string all = read_text("train", folder_, metrics_file, metrics_->hash().bytes);
  const std::string_view lines = lines_up_to(all, checkpoint.last.step);
  checkpoint.metrics_bytes = lines.size();
  checkpoint.metrics_sha256 = data::sha256(std::as_bytes(std::span(lines)));
  write_checkpoint(checkpoint);
}

void RunFolder::write_checkpoint(train::Checkpoint& checkpoint) {
  constexpr std::size_t kKept = 2;
  checkpoint.config = config_;
  replace(checkpoint_file(checkpoint.last.step), train::to_bytes(checkpoint));
  auto all = checkpoints();
  std::vector<std::string> old;
  const auto later = all.upper_bound(checkpoint.last.step);
  for (auto at = later; at != all.end(); ++at) old.push_back(at->second);
  all.erase(later, all.end());
  for (; all.size() > kKept; all.erase(all.begin())) old.push_back(all.begin()->second);
  remove(old);
}

void RunFolder::end(RunStatus status, std::int64_t step, std::span<const std::byte> model) {
  sync();
  replace(model_file, model);
  manifest_.files[metrics_file] = {metrics_->hash()};
  if (events_) manifest_.files[events_file] = {events_->hash()};
  manifest_.status = status;
  manifest_.step = step;
  manifest_.write(folder_);
}

}  // namespace unroll::run
