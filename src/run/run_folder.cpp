#include "run/run_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <filesystem>

#include "core/shell_word.h"
#include "run/metrics.h"
#include "train/config_names.h"
#include "unroll/core/error.h"

namespace unroll::run {
namespace {

namespace fs = std::filesystem;

bool holds_run(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path + "/config.json", ignored) ||
         fs::exists(path + "/model.safetensors", ignored);
}

/// Makes runs/NAME, or NAME-2 and so on where that is taken; making it is what takes it, so that
/// two runs started at once don't share one.
std::string make_free_folder(const train::Config& config, const std::string& dataset) {
  const std::string base = fmt::format("runs/{}-{}-{}-seed{}", dataset.empty() ? "data" : dataset,
                                       train::name_of(config.model), config.recipe, config.seed);
  std::error_code error;
  fs::create_directories("runs", error);
  std::string name = base;
  for (int i = 2; !error && !fs::create_directory(name, error) && !error; ++i)
    name = fmt::format("{}-{}", base, i);
  if (error) throw FileError("train", fmt::format("can't make {}: {}", name, error.message()));
  return name;
}

std::string make_folder(const std::string& wanted, const train::Config& config,
                        const std::string& dataset) {
  if (wanted.empty()) return make_free_folder(config, dataset);
  if (holds_run(wanted))
    throw ValueError(
        "train",
        fmt::format("--out {} already holds a run; choose another folder, remove that one first, "
                    "or go on with it: unroll train --resume {}",
                    wanted, shell_word(wanted)));
  std::error_code error;
  fs::create_directories(wanted, error);
  if (error) throw FileError("train", fmt::format("can't make {}: {}", wanted, error.message()));
  return wanted;
}

constexpr std::string_view kCheckpoint = "checkpoint_", kEnding = ".safetensors";

/// The step in the name of a checkpoint; nothing for another file's.
std::optional<std::int64_t> step_in(std::string_view name) {
  if (!name.starts_with(kCheckpoint) || !name.ends_with(kEnding)) return std::nullopt;
  const std::string_view digits =
      name.substr(kCheckpoint.size(), name.size() - kCheckpoint.size() - kEnding.size());
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return step;
}

/// What write_file() leaves of a file when the process is killed.
bool is_temporary(std::string_view name) {
  const auto at = name.rfind(".tmp-");
  return at != std::string_view::npos && name.size() - at == 11;
}

/// Of the first `bytes` of a file. Throws FileError where it has fewer.
data::Sha256 hash_of_start(const std::string& path, std::uint64_t bytes) {
  data::Sha256 hash;
  if (bytes == 0) return hash;
  const InputFile file("resume", path);
  std::array<std::byte, 1 << 16> buffer;
  for (std::uint64_t at = 0; at < bytes;) {
    const auto piece = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), bytes - at));
    file.read_at(at, piece);
    hash.add(piece);
    at += piece.size();
  }
  return hash;
}

const std::string& existing(const std::string& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored))
    throw FileError("resume", fmt::format("there is no folder {}; name a run's: the one that "
                                          "--out named, or that training said it wrote to",
                                          path));
  return path;
}

}  // namespace

RunFolder::RunFolder(const std::string& wanted, const train::Config& config,
                     const train::Provenance& provenance, const std::string& dataset)
    : path_(make_folder(wanted, config, dataset)),
      lock_("train", path_),
      config_(train::to_json(config, provenance)) {
  save("config.json", std::as_bytes(std::span(config_)));
}

RunFolder::RunFolder(const std::string& path) : path_(existing(path)), lock_("resume", path_) {
  std::error_code ignored;
  auto manifest = Manifest::read(path_);
  if (!fs::exists(file("config.json"), ignored))
    throw FileError(
        "resume",
        manifest ? fmt::format("{} is missing; restore it from a copy, or train again",
                               file("config.json"))
                 : fmt::format("{} has no run: there is no config.json in it, which is written "
                               "before the first step; name the folder of a run, or begin one in "
                               "it: unroll train DATASET --out {}",
                               path_, shell_word(path_)));
  config_ = train::read_config("resume", file("config.json"));
  if (manifest) {
    manifest_ = std::move(*manifest);
    return;
  }
  // Killed before it was written; any other file came after it.
  for (const auto& entry : fs::directory_iterator(path_, ignored))
    if (entry.path().extension() == kEnding)
      throw FormatError("resume", fmt::format("{} has no manifest.json, which says whether its "
                                              "files are whole; train again: unroll train "
                                              "--config {}",
                                              path_, shell_word(file("config.json"))));
  manifest_.files["config.json"] = {hash_of(std::as_bytes(std::span(config_)))};
}

std::map<std::int64_t, std::string> RunFolder::checkpoints() const {
  std::map<std::int64_t, std::string> all;
  for (const auto& [name, hashes] : manifest_.files)
    if (const auto step = step_in(name)) all[*step] = name;
  return all;
}

std::optional<train::Checkpoint> RunFolder::last_checkpoint() const {
  const auto all = checkpoints();
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    try {
      auto checkpoint = train::checkpoint_from(manifest_.load(path_, at->second), file(at->second));
      const auto metrics = hash_of_start(file("metrics.jsonl"), checkpoint.metrics_bytes);
      if (metrics.digits() != checkpoint.metrics_sha256)
        throw FormatError("resume",
                          fmt::format("{} is damaged: its first {} bytes are not what {} "
                                      "was made with",
                                      file("metrics.jsonl"), checkpoint.metrics_bytes, at->second));
      return checkpoint;
    } catch (const Error& error) {
      fmt::print(stderr, "*** {} ***\n", error.what());
      if (const auto before = std::next(at); before != all.rend())
        fmt::print(stderr, "*** Going back to the checkpoint before, {}. ***\n", before->second);
    }
  }
  if (all.empty()) return std::nullopt;
  throw FormatError("resume", fmt::format("no checkpoint of {} can be used; train again: unroll "
                                          "train --config {}",
                                          path_, shell_word(file("config.json"))));
}

void RunFolder::check_files() const {
  const auto damage = manifest_.damage(path_);
  if (damage.empty()) return;
  std::vector<std::string> all;
  for (const auto& [name, what] : damage) all.push_back(fmt::format("{} {}", name, what));
  const std::string again = damage.contains("config.json")
                                ? ""
                                : fmt::format(", or train again: unroll train --config {}",
                                              shell_word(file("config.json")));
  throw FormatError("resume", fmt::format("the run in {} is damaged: {}; restore what is lacking "
                                          "from a copy{}",
                                          path_, fmt::join(all, "; "), again));
}

void RunFolder::begin(const std::optional<train::Checkpoint>& checkpoint) {
  const std::int64_t step = checkpoint ? checkpoint->last.step : 0;
  metrics_bytes_ = checkpoint ? checkpoint->metrics_bytes : 0;
  metrics_hash_ = hash_of_start(file("metrics.jsonl"), metrics_bytes_);
  // The manifest first: what it lists must be there.
  manifest_.status = RunStatus::training;
  manifest_.files.erase("metrics.jsonl");
  for (const auto& [of, name] : checkpoints())
    if (of > step) manifest_.files.erase(name);
  manifest_.write(path_);
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path_, ignored)) {
    const std::string name = entry.path().filename();
    if (is_temporary(name) || (step_in(name) && !manifest_.lists(name)))
      remove_file("train", file(name));
  }
  metrics_.emplace("train", file("metrics.jsonl"), metrics_bytes_);
}

void RunFolder::write_line(const std::string& line) {
  const std::string text = line + '\n';
  metrics_->append(text);
  metrics_hash_.add(std::as_bytes(std::span(text)));
  metrics_bytes_ += text.size();
}

void RunFolder::log(const train::StepResult& step) { write_line(metrics_line(step)); }

void RunFolder::log(std::int64_t step, double loss, const train::Evaluation& evaluation,
                    const std::string& dataset) {
  write_line(metrics_line(step, loss, evaluation, dataset));
  metrics_->flush();
}

void RunFolder::log(const train::Diverged& diverged) { write_line(metrics_line(diverged)); }

/// The manifest, written before and after, lists the old content or the new one at every moment.
void RunFolder::replace(const std::string& name, std::span<const std::byte> content) {
  const FileHash hash = hash_of(content);
  if (manifest_.lists(name)) {
    manifest_.files[name].push_back(hash);
    manifest_.write(path_);
  }
  write_file("train", file(name), content);
  manifest_.files[name] = {hash};
}

void RunFolder::save(const std::string& name, std::span<const std::byte> content) {
  replace(name, content);
  manifest_.write(path_);
}

void RunFolder::save_checkpoint(train::Checkpoint checkpoint) {
  constexpr std::size_t kKept = 2;
  metrics_->sync();
  checkpoint.metrics_bytes = metrics_bytes_;
  checkpoint.metrics_sha256 = metrics_hash_.digits();
  checkpoint.config = config_;
  replace(fmt::format("{}{}{}", kCheckpoint, checkpoint.last.step, kEnding),
          train::to_bytes(checkpoint));
  auto all = checkpoints();
  std::vector<std::string> old;
  for (; all.size() > kKept; all.erase(all.begin())) {
    old.push_back(all.begin()->second);
    manifest_.files.erase(old.back());
  }
  manifest_.write(path_);
  for (const std::string& name : old) remove_file("train", file(name));
}

void RunFolder::end(RunStatus status, std::int64_t step, std::span<const std::byte> model) {
  metrics_->sync();
  replace("model.safetensors", model);
  manifest_.files["metrics.jsonl"] = {{metrics_bytes_, metrics_hash_.digits()}};
  manifest_.status = status;
  manifest_.step = step;
  manifest_.write(path_);
}

}  // namespace unroll::run
