// unroll verify: whether a run's weights are those that its settings lead to.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstring>
#include <set>

#include "app/array_index.h"
#include "app/manifest.h"
#include "app/material.h"
#include "app/shell_word.h"
#include "app/verbose.h"
#include "app/verbs.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/printable.h"
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

train::LoadedConfig read_config(const std::string& path) {
  constexpr std::uint64_t kLargest = 1 << 20;
  return train::config_from_json(read_text("verify", path, kLargest), path);
}

/// The files that are not as the manifest lists them; each is named.
std::set<std::string> changed_files(const std::string& folder, const Manifest& manifest) {
  std::set<std::string> changed;
  for (const auto& [name, hashes] : manifest.files) {
    if (manifest.is_intact(folder, name)) continue;
    fmt::print("{} is not as it was written: its SHA-256 is not what manifest.json says\n", name);
    changed.insert(name);
  }
  if (changed.empty()) fmt::print("{} files are as they were written\n", manifest.files.size());
  return changed;
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

/// Makes the steps that the run has made, to its end or to where it was interrupted or diverged.
void train_again(train::Trainer& trainer, std::int64_t steps) {
  std::int64_t made = 0;
  train::Observer observer;
  observer.step = [&](const train::StepResult& result) { made = result.step; };
  observer.stop = [&] { return made == steps || interrupted(); };
  try {
    trainer.run(observer);
  } catch (const train::Diverged&) {  // with the last finite weights, as the run did
  }
}

int work(const Flags& flags) {
  const auto start = Clock::now();
  const CatchInterrupts guard;
  const auto manifest = Manifest::read(flags.run);
  if (!manifest)
    throw FormatError("verify", fmt::format("{} has no manifest.json: it is no run's folder, or "
                                            "its training has not begun",
                                            flags.run));
  if (manifest->status == RunStatus::training)
    throw FormatError("verify", fmt::format("the run in {} did not end; go on with it: unroll "
                                            "train --resume {}",
                                            flags.run, shell_word(flags.run)));
  const auto changed = changed_files(flags.run, *manifest);
  if (changed.contains("config.json")) return kFailed;  // nothing to go by
  const std::string path = flags.run + "/model.safetensors";
  auto [config, provenance] = read_config(flags.run + "/config.json");
  if (flags.threads) config.threads = *flags.threads;
  const Material material = load_material(config, flags.data);
  if (const auto all = differences(provenance, provenance_of(material)); !all.empty()) {
    fmt::print("not trained again, because that would lead to other weights: {}\n",
               fmt::join(all, "; "));
    return kFailed;
  }
  flags.verbose.say();
  train::Trainer trainer = make_trainer(config, material);
  const std::int64_t steps = manifest->step;
  train_again(trainer, steps);
  if (interrupted()) {
    fmt::print(stderr, "interrupted; {} is as it was\n", printable(flags.run));
    return kInterrupted;
  }
  fmt::print("trained again from config.json, {} steps in {:.2f} s\n", steps, seconds_since(start));
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
  return changed.empty() ? kOk : kFailed;
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
