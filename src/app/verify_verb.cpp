// unroll verify: whether a run's weights are those that its settings lead to.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstring>
#include <map>
#include <sstream>

#include "app/array_index.h"
#include "app/material.h"
#include "app/verbose.h"
#include "app/verbs.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/printable.h"
#include "core/shell_word.h"
#include "run/manifest.h"
#include "run/metrics.h"
#include "train/model_file.h"
#include "unroll/io/safetensors.h"

namespace unroll::app {
namespace {

struct Flags {
  std::string run;
  DataFlags data;
  VerboseFlag verbose;
  std::optional<int> threads;
};

/// The files that are not as the manifest lists them; each is named.
std::map<std::string, std::string> damaged_files(const Folder& folder,
                                                 const run::Manifest& manifest) {
  const auto damage = manifest.damage(folder);
  for (const auto& [name, what] : damage) fmt::print("{} {}\n", printable(name), what);
  if (damage.empty()) fmt::print("{} files are as they were written\n", manifest.files.size());
  return damage;
}

bool can_be_read(const Folder& folder, const std::string& name) {
  try {
    const InputFile file("verify", folder, name);
    return true;
  } catch (const FileError&) {
    return false;
  }
}

/// Enough digits that other bits are other text, but for NaN's.
std::string value_text(const io::ArrayView& array, std::size_t element) {
  const auto text = [&]<class T>(T value) {
    std::memcpy(&value, &array.data[element * sizeof value], sizeof value);
    return fmt::format("{:.{}g}", value, sizeof value == 4 ? 9 : 17);
  };
  return array.type == io::ElementType::f64 ? text(0.0) : text(0.0f);
}

/// The first difference between the file's tensors and those trained again; empty: the same bits.
std::string first_difference(const io::Safetensors& file, const std::vector<io::ArrayView>& again) {
  for (const io::ArrayView& ours : again) {
    const io::ArrayView* theirs = file.find(ours.name);
    if (!theirs) return fmt::format("{} is missing in the file", ours.name);
    if (theirs->type != ours.type || theirs->shape != ours.shape)
      return fmt::format("{} is {} [{}] in the file, {} [{}] trained again", ours.name,
                         io::name_of(theirs->type), fmt::join(theirs->shape, ", "),
                         io::name_of(ours.type), fmt::join(ours.shape, ", "));
    const std::size_t width = io::size_of(ours.type);
    for (std::size_t i = 0; i < ours.data.size() / width; ++i)
      if (std::memcmp(&ours.data[i * width], &theirs->data[i * width], width) != 0)
        return fmt::format("{}{} is {} in the file, {} trained again", ours.name,
                           index_text(i, ours.shape), value_text(*theirs, i), value_text(ours, i));
  }
  if (file.arrays().size() != again.size()) return "the file has tensors that the model has not";
  return "";
}

/// What the file says of itself.
std::string description_of(const io::Safetensors& file) {
  const auto found = file.metadata().find(spec::ModelSpec::metadata_key);
  return found == file.metadata().end() ? "" : found->second;
}

/// What the run comes to when it is made again.
struct Again {
  std::int64_t steps = 0;
  run::RunStatus status = run::RunStatus::finished;
  std::string metrics;  // the lines of metrics.jsonl
};

std::string where_it_ended(run::RunStatus status, std::int64_t step) {
  return fmt::format("{} after step {}", name_of(status), step);
}

/// Makes the steps that the run has made, to its end or to where it was interrupted or diverged.
Again train_again(train::Trainer& trainer, const run::Manifest& manifest,
                  const std::string& dataset) {
  Again again;
  // One that diverged could not make the step after its last.
  const std::int64_t last = manifest.step + (manifest.status == run::RunStatus::diverged ? 1 : 0);
  const auto log = [&](const auto&... values) {
    again.metrics += run::metrics_line(values...) + "\n";
  };
  train::Observer observer;
  observer.step = [&](const train::StepResult& result) {
    again.steps = result.step;
    log(result);
  };
  observer.evaluation = [&](std::int64_t step, double loss, const train::Evaluation& evaluation) {
    log(step, loss, evaluation, dataset);
  };
  observer.stop = [&] { return again.steps == last || run::interrupted(); };
  try {
    if (!trainer.run(observer)) again.status = run::RunStatus::interrupted;
  } catch (const train::Diverged& diverged) {  // with the last finite weights, as the run did
    again.status = run::RunStatus::diverged;
    log(diverged);
  }
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
      first_other_line(read_text("verify", folder, "metrics.jsonl", kLargest), again);
  if (other.empty())
    fmt::print("metrics.jsonl has the same losses and accuracies\n");
  else
    fmt::print("metrics.jsonl has other values: {}\n", printable(other));
  return other.empty();
}

int work(const Flags& flags) {
  const auto start = Clock::now();
  const run::CatchInterrupts guard;
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
  if (damage.contains("config.json")) return kFailed;  // nothing to go by
  const std::string path = flags.run + "/model.safetensors";
  if (!can_be_read(folder, "model.safetensors")) return kFailed;  // nothing to compare
  const std::string config_file = flags.run + "/config.json";
  auto [config, provenance] =
      train::config_from_json(train::read_config("verify", folder, "config.json"), config_file);
  if (flags.threads) config.threads = *flags.threads;
  const Material material = load_material(config, flags.data);
  if (const auto all = differences(provenance, provenance_of(material)); !all.empty()) {
    fmt::print("not trained again, because that would lead to other weights: {}\n",
               fmt::join(all, "; "));
    return kFailed;
  }
  flags.verbose.say();
  train::Trainer trainer = make_trainer(config, material);
  const Again again = train_again(trainer, *manifest, material.name());
  if (run::interrupted()) {
    fmt::print(stderr, "interrupted; {} is as it was\n", printable(flags.run));
    return kInterrupted;
  }
  fmt::print("trained again from config.json, {} steps in {:.2f} s\n", again.steps,
             seconds_since(start));
  bool good = damage.empty();
  if (again.steps != manifest->step || again.status != manifest->status) {
    fmt::print("manifest.json says {}; trained again it is {}\n",
               where_it_ended(manifest->status, manifest->step),
               where_it_ended(again.status, again.steps));
    good = false;
  }
  if (!damage.contains("metrics.jsonl") && manifest->lists("metrics.jsonl"))
    good = same_metrics(folder, again.metrics) && good;
  const auto file = io::Safetensors::read(path);
  std::string difference = first_difference(file, train::views_of(trainer.parameters()));
  if (difference.empty() && description_of(file) != spec::to_json(trainer.description()))
    difference = "it describes another model";
  if (!difference.empty()) {
    fmt::print("model.safetensors has other bits: {}\n", difference);
    return kFailed;
  }
  std::int64_t weights = 0;
  for (const Parameter& p : trainer.parameters()) weights += p.value.numel();
  fmt::print("model.safetensors has the same bits: {} weights in {} tensors\n", weights,
             file.arrays().size());
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
