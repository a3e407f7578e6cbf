#include "run/verification.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <span>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/shell_word.h"
#include "nn/model_file.h"
#include "run/choose_samples.h"
#include "run/file_names.h"
#include "run/metrics.h"
#include "run/prediction_table.h"
#include "run/provenance.h"
#include "run/repetition.h"
#include "run/samples.h"
#include "unroll/core/error.h"

namespace unroll::run {
namespace {

Manifest manifest_of(const Folder& folder, const std::string& path) {
  auto manifest = Manifest::read(folder);
  if (!manifest)
    throw FormatError("verify", fmt::format("{} has no manifest.json: it is not the folder of a "
                                            "run, or its training has not begun; name the folder "
                                            "of a run",
                                            path));
  if (manifest->status == RunStatus::training)
    throw FormatError("verify", fmt::format("the run in {} did not end; resume it: unroll train "
                                            "--resume {}",
                                            path, shell_word(path)));
  return std::move(*manifest);
}

bool can_be_read(const Folder& folder, const char* name) {
  try {
    const InputFile file("verify", folder, name);
    return true;
  } catch (const FileError&) {
    return false;
  }
}

std::string where_it_ended(RunStatus status, std::int64_t step) {
  return fmt::format("{} after step {}", name_of(status), step);
}

}  // namespace

Verification::Verification(const std::string& path, Found tell)
    : folder_("verify", path),
      tell_(std::move(tell)),
      manifest_(manifest_of(folder_, path)),
      files_(folder_, manifest_, [this](const Finding& finding) { found(finding); }) {
  auto damage = manifest_.damage(folder_);
  // Every run that ended has these files.
  for (const char* name : {config_file, metrics_file, model_file})
    if (!manifest_.lists(name)) damage[name] = "is not listed in manifest.json";
  for (const auto& [name, what] : damage) found({fmt::format("{} {}", name, what)});
  if (damage.empty())
    found({fmt::format("{} files are as they were written", manifest_.files.size()), true});
  can_be_repeated_ = !damage.contains(config_file) && can_be_read(folder_, model_file);
  if (!can_be_repeated_) return;
  config_text_ = train::read_config("verify", folder_, config_file);
  settings_ = train::config_from_json(config_text_, folder_.path_of(config_file));
  const std::string other = other_revision(settings_.provenance, path);
  if (other.empty()) return;
  can_be_repeated_ = false;
  found({"not trained again: " + other});
}

void Verification::found(const Finding& finding) {
  good_ = good_ && finding.good;
  if (tell_) tell_(finding);
}

bool Verification::has_same_data(const train::Provenance& now) {
  const auto all = differences(settings_.provenance, now);
  if (all.empty()) return true;
  found({fmt::format("not trained again, because that would lead to other weights: {}",
                     fmt::join(all, "; "))});
  return false;
}

std::int64_t Verification::train_again(train::Trainer& trainer,
                                       const std::vector<train::Listener*>& listeners) {
  if (can_be_read(folder_, metrics_file)) {
    constexpr std::uint64_t kLargest = std::uint64_t{1} << 30;
    written_metrics_ = read_text("verify", folder_, metrics_file, kLargest);
  }
  Repetition repetition(manifest_, config_text_, written_metrics_.value_or(""), files_, trainer);
  std::vector<train::Listener*> all = {&repetition};
  all.insert(all.end(), listeners.begin(), listeners.end());
  try {
    if (!trainer.run(all)) status_ = RunStatus::interrupted;
    kept_ = trainer.kept_step().step;
  } catch (const train::Diverged& diverged) {
    status_ = RunStatus::diverged;
    kept_ = diverged.kept.step;
    repetition.diverged(diverged);
  }
  metrics_ = repetition.metrics();
  return repetition.steps();
}

bool Verification::train_without_test(train::Trainer& trainer,
                                      const std::vector<train::Listener*>& listeners) {
  train::Callbacks end;
  end.stops = [&] {
    return manifest_.status == RunStatus::interrupted && trainer.last_step().step == manifest_.step;
  };
  std::vector<train::Listener*> all = {&end};
  all.insert(all.end(), listeners.begin(), listeners.end());
  try {
    if (!trainer.run(all)) status_ = RunStatus::interrupted;
  } catch (const train::Diverged&) {
    status_ = RunStatus::diverged;
  }
  kept_ = trainer.kept_step().step;
  compare_end();
  const std::vector<std::byte> model = nn::model_bytes(trainer.description(), trainer.parameters());
  if (!files_.compare(model_file, model)) {
    found({"the test part had an influence: with random numbers in its place the weights differ"});
    return false;
  }
  found({fmt::format("the test part had no influence: with {} test samples of random numbers the "
                     "weights are the same, SHA-256 {}",
                     trainer.source().size(data::Split::test), hash_of(model).sha256),
         true});
  return good_;
}

void Verification::compare_end() {
  if (kept_ != manifest_.step || status_ != manifest_.status)
    found({fmt::format("manifest.json says {}; trained again it is {}",
                       where_it_ended(manifest_.status, manifest_.step),
                       where_it_ended(status_, kept_))});
}

bool Verification::finish(train::Trainer& trainer) {
  compare_end();
  if (written_metrics_) {
    const auto shown = [](const std::string& text) { return text.empty() ? "not there" : text; };
    const auto other = first_other_line(*written_metrics_, metrics_);
    found(!other ? Finding{"metrics.jsonl has the same losses and accuracies", true}
                 : Finding{fmt::format("metrics.jsonl has other values: line {} is {}, trained "
                                       "again {}",
                                       other->number, shown(other->written), shown(other->again))});
  }
  if (manifest_.lists(samples_file) && manifest_.status != RunStatus::interrupted)
    files_.compare(samples_file, to_bytes(choose_samples(trainer)));
  if (manifest_.lists(predictions_file) && manifest_.status != RunStatus::interrupted) {
    const std::string table = prediction_table(trainer);
    const auto bytes = std::as_bytes(std::span(table));
    files_.compare(predictions_file, {bytes.begin(), bytes.end()});
  }
  files_.finish_steps();
  const Parameters parameters = trainer.parameters();
  if (!files_.compare(model_file, nn::model_bytes(trainer.description(), parameters))) return false;
  std::int64_t weights = 0;
  for (const Parameter& p : parameters) weights += p.value.numel();
  found({fmt::format("model.safetensors has the same bits: {} weights in {} tensors", weights,
                     parameters.size()),
         true});
  return good_;
}

}  // namespace unroll::run
