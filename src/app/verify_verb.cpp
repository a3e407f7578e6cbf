// unroll verify: whether a run's weights are those that its settings lead to.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>
#include <sstream>

#include "app/file_difference.h"
#include "app/material.h"
#include "app/messages.h"
#include "app/verbose.h"
#include "app/verbs.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/printable.h"
#include "core/shell_word.h"
#include "data/sha256.h"
#include "nn/model_file.h"
#include "run/file_names.h"
#include "run/manifest.h"
#include "run/metrics.h"
#include "run/stop_signal.h"

namespace unroll::app {
namespace {

struct Flags {
  std::string run;
  DataFlags data;
  VerboseFlag verbose;
  std::optional<int> threads;
};

/// The files that are not as the manifest lists them, or that it does not list although every run
/// which ended has them; each is named.
std::map<std::string, std::string> damaged_files(const Folder& folder,
                                                 const run::Manifest& manifest) {
  auto damage = manifest.damage(folder);
  for (const char* name : {run::config_file, run::metrics_file, run::model_file})
    if (!manifest.lists(name)) damage[name] = "is not listed in manifest.json";
  for (const auto& [name, what] : damage) fmt::print("{} {}\n", printable(name), what);
  if (damage.empty()) fmt::print("{} files are as they were written\n", manifest.files.size());
  return damage;
}

bool can_be_read(const Folder& folder, const char* name) {
  try {
    const InputFile file("verify", folder, name);
    return true;
  } catch (const FileError&) {
    return false;
  }
}

/// What the run comes to when it is made again.
struct Again {
  std::int64_t steps = 0, kept = 0;  // made; up to the weights that are kept
  run::RunStatus status = run::RunStatus::finished;
  std::string metrics;  // the lines of metrics.jsonl
};

std::string where_it_ended(run::RunStatus status, std::int64_t step) {
  return fmt::format("{} after step {}", name_of(status), step);
}

/// Compares the files of a run with what training it again gives, while it does.
class Comparison {
 public:
  Comparison(const Folder& folder, const run::Manifest& manifest)
      : folder_(folder), manifest_(manifest) {}

  bool lists(const std::string& name) const { return manifest_.lists(name); }

  /// Whether the file has the same bytes; says where not.
  bool compare(const std::string& name, std::vector<std::byte> again) {
    compared_.insert(name);
    try {
      const InputFile file("verify", folder_, name);
      std::string difference = "it is of another size";
      // What is much longer is not worth reading.
      if (file.size() < 2 * again.size() + (1 << 20)) {
        std::vector<std::byte> there(file.size());
        file.read_at(0, there);
        difference = first_difference(std::move(there), std::move(again));
      }
      if (difference.empty()) return true;
      fmt::print("{} has other bits: {}\n", name, printable(difference));
    } catch (const Error& error) {
      fmt::print("{} can't be compared: {}\n", name, error.what());
    }
    return false;
  }

  /// The files of single steps.
  void compare_step(const std::string& name, std::vector<std::byte> again) {
    if (!lists(name)) fmt::print("{} is not listed in manifest.json\n", name);
    const bool same = lists(name) && compare(name, std::move(again));
    same ? ++same_steps_ : ++other_;
  }

  /// Whether all of those were the same, and the manifest lists no more than was compared.
  bool good_steps() {
    for (const auto& [name, hashes] : manifest_.files)
      if (!compared_.contains(name) && name != run::config_file && name != run::metrics_file &&
          name != run::model_file) {
        fmt::print("{} is listed in manifest.json, but is no file of this run\n", printable(name));
        ++other_;
      }
    if (same_steps_ > 0) fmt::print("files of single steps with the same bits: {}\n", same_steps_);
    return other_ == 0;
  }

 private:
  const Folder& folder_;
  const run::Manifest& manifest_;
  std::set<std::string> compared_;
  int same_steps_ = 0, other_ = 0;
};

/// Makes the steps that the run has made, to its end or to where it was interrupted or diverged.
Again train_again(train::Trainer& trainer, const run::Manifest& manifest,
                  const std::string& dataset, const std::string& config, Comparison& comparison) {
  Again again;
  const auto log = [&](const auto&... values) {
    again.metrics += run::metrics_line(values...) + "\n";
  };
  train::Callbacks callbacks;
  callbacks.on_step = [&](const train::StepResult& result) {
    again.steps = result.step;
    log(result);
  };
  callbacks.on_evaluation = [&](const train::StepResult& result,
                                const train::Evaluation& evaluation) {
    log(result, evaluation, dataset);
  };
  callbacks.on_save = [&](std::int64_t step) {
    comparison.compare_step(run::step_file(step),
                            nn::model_bytes(trainer.description(), trainer.parameters()));
  };
  const auto compare_checkpoint = [&](std::int64_t step) {
    const std::string name = run::checkpoint_file(step);
    if (!comparison.lists(name)) return;
    train::Checkpoint checkpoint = trainer.checkpoint();
    const auto metrics = run::lines_up_to(again.metrics, step);
    checkpoint.metrics_bytes = metrics.size();
    checkpoint.metrics_sha256 = data::sha256(std::as_bytes(std::span(metrics)));
    checkpoint.config = config;
    comparison.compare_step(name, train::to_bytes(checkpoint));
  };
  // One that diverged went back to that step: its checkpoint is made then.
  const bool diverged = manifest.status == run::RunStatus::diverged;
  callbacks.stops = [&] {
    const bool kept = again.steps == manifest.step;
    if (!kept || !diverged) compare_checkpoint(again.steps);
    return (kept && !diverged) || run::stop_requested();
  };
  try {
    if (!trainer.run({&callbacks})) again.status = run::RunStatus::interrupted;
  } catch (const train::Diverged& back) {  // back at the last good step, as the run was
    again.status = run::RunStatus::diverged;
    again.kept = back.kept.step;
    if (diverged) compare_checkpoint(again.kept);
    log(back);
    return again;
  }
  again.kept = again.steps;
  return again;
}

/// The first line of the metrics that is another one; empty where all are the same.
std::string first_other_line(const std::string& there, const std::string& again) {
  std::istringstream lines(there), expected(again);
  for (std::int64_t number = 1;; ++number) {
    std::string line, wanted;
    std::getline(lines, line);
    std::getline(expected, wanted);
    if (line != wanted) {
      const auto shown = [](const std::string& text) { return text.empty() ? "not there" : text; };
      return fmt::format("line {} is {}, trained again {}", number, shown(line), shown(wanted));
    }
    if (!lines && !expected) return "";
  }
}

/// Prints what of the metrics is not what training gives.
bool same_metrics(const Folder& folder, const std::string& again) {
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 30;
  const std::string other =
      first_other_line(read_text("verify", folder, run::metrics_file, kLargest), again);
  if (other.empty())
    fmt::print("metrics.jsonl has the same losses and accuracies\n");
  else
    fmt::print("metrics.jsonl has other values: {}\n", printable(other));
  return other.empty();
}

int work(const Flags& flags) {
  const auto start = Clock::now();
  const run::CatchStopSignals guard;
  const Folder folder("verify", flags.run);
  const auto manifest = run::Manifest::read(folder);
  if (!manifest)
    throw FormatError("verify", fmt::format("{} has no manifest.json: it is no run's folder, or "
                                            "its training has not begun",
                                            flags.run));
  if (manifest->status == run::RunStatus::training)
    throw FormatError("verify", fmt::format("the run in {} did not end; go on with it: unroll "
                                            "train --resume {}",
                                            flags.run, shell_word(flags.run)));
  const auto damage = damaged_files(folder, *manifest);
  if (damage.contains(run::config_file)) return kFailed;      // nothing to go by
  if (!can_be_read(folder, run::model_file)) return kFailed;  // nothing to compare
  const std::string text = train::read_config("verify", folder, run::config_file);
  auto [config, provenance] = train::config_from_json(text, folder.path_of(run::config_file));
  if (flags.threads) config.threads = *flags.threads;
  const Material material = load_material(config, flags.data);
  if (const auto all = differences(provenance, provenance_of(material)); !all.empty()) {
    fmt::print("not trained again, because that would lead to other weights: {}\n",
               fmt::join(all, "; "));
    return kFailed;
  }
  flags.verbose.say();
  train::Trainer trainer = make_trainer(config, material);
  Comparison files(folder, *manifest);
  const Again again = train_again(trainer, *manifest, material.name(), text, files);
  if (run::stop_requested()) {
    tell("interrupted; {} is as it was\n", printable(flags.run));
    return status_of_signal(run::stop_signal());
  }
  fmt::print("trained again from config.json, {} steps in {:.2f} s\n", again.steps,
             seconds_since(start));
  bool good = damage.empty();
  if (again.kept != manifest->step || again.status != manifest->status) {
    fmt::print("manifest.json says {}; trained again it is {}\n",
               where_it_ended(manifest->status, manifest->step),
               where_it_ended(again.status, again.kept));
    good = false;
  }
  if (can_be_read(folder, run::metrics_file)) good = same_metrics(folder, again.metrics) && good;
  good = files.good_steps() && good;
  if (!files.compare(run::model_file, nn::model_bytes(trainer.description(), trainer.parameters())))
    return kFailed;
  std::int64_t weights = 0;
  const Parameters parameters = trainer.parameters();
  for (const Parameter& p : parameters) weights += p.value.numel();
  fmt::print("model.safetensors has the same bits: {} weights in {} tensors\n", weights,
             parameters.size());
  return good ? kOk : kFailed;
}

}  // namespace

void add_verify(CLI::App& program, Work& chosen) {
  CLI::App* verb = add_verb(program, "verify",
                            "Train a run again from its config.json and compare the weights: 0 "
                            "where they are the same bits, 1 where not, naming the first.",
                            "unroll verify runs/mnist-rnn-tuned-seed0");
  const auto flags = std::make_shared<Flags>();
  verb->add_option("run", flags->run, "A run's folder, which is only read")->required();
  flags->data.add_to(*verb);
  verb->add_option("--threads", flags->threads, "0: the cores allowed here; the run's if left out");
  flags->verbose.add_to(*verb);
  verb->callback([flags, &chosen] { chosen = [flags] { return work(*flags); }; });
}

}  // namespace unroll::app
