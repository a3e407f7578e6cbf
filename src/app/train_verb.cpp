// unroll train: from a data set to a run's folder.
#include <fmt/format.h>

#include <optional>

#include "app/data_flags.h"
#include "app/messages.h"
#include "app/progress.h"
#include "app/run_folder.h"
#include "app/train_flags.h"
#include "app/verbose.h"
#include "app/verbs.h"
#include "core/clock.h"
#include "core/numerics.h"
#include "core/printable.h"
#include "train/model_file.h"
#include "train/task.h"

namespace unroll::app {
namespace {

struct Flags {
  TrainFlags train;
  DataFlags data;
  VerboseFlag verbose;
  std::string out;
  bool json = false, quiet = false;
};

/// What the settings name: images in memory, or a task, which needs none.
struct Material {
  std::optional<train::Task> task;
  std::optional<Sets> sets;  // where it is no task

  std::string name() const { return task ? std::string(name_of(*task)) : sets->train.name; }
};

Material load(const train::Config& config, const DataFlags& flags) {
  if (const auto task = train::find_task(config.dataset)) return {task, {}};
  const std::vector<std::string_view> tasks(std::begin(train::task_names),
                                            std::end(train::task_names));
  return {{}, flags.load(config.dataset, tasks)};
}

train::Trainer make_trainer(const train::Config& config, const Material& material) {
  if (material.task) return {config, train::task_problem(config)};
  return {config, material.sets->train, material.sets->test};
}

train::Provenance provenance_of(const Material& material) {
  if (material.task) return {"", "", numerics::revision};
  const Sets& sets = *material.sets;
  const auto both = [](const data::Dataset& set) {
    return set.images_sha256 + "+" + set.labels_sha256;
  };
  return {both(sets.train), both(sets.test), numerics::revision};
}

/// A run is repeated only by the same data and the same numerics.
void check_repeats(const TrainFlags::Result& settings, const train::Provenance& now) {
  if (!settings.provenance || settings.other_data) return;
  const train::Provenance& then = *settings.provenance;
  if (then.train_sha256 != now.train_sha256 || then.test_sha256 != now.test_sha256)
    throw FormatError("train", fmt::format("the data of {} is not what config.json was made with "
                                           "(its SHA-256 differs); name the data set beside "
                                           "--config to train on it all the same",
                                           settings.config.dataset));
  if (then.numerics_revision != now.numerics_revision)
    say_note(
        fmt::format("config.json is of numerics revision {}, this program has {}: the weights "
                    "will differ in their last bits",
                    then.numerics_revision, now.numerics_revision));
}

void print_sizes(const train::Config& config, const Material& material) {
  if (material.task) {
    const spec::InputSpec input = input_of(*material.task, config.length);
    fmt::print(
        "{}: made from random numbers, sequences of {} steps of {} numbers; {} of them test\n",
        material.name(), input.height, input.width, train::test_sequences);
    std::fflush(stdout);
    return;
  }
  const Sets& sets = *material.sets;
  const auto line = [](const char* name, const data::Dataset& set) {
    fmt::print("{} {}: images {}x{}x{}, labels {}\n", set.name, name, set.count, set.rows,
               set.columns, set.count);
  };
  line("train", sets.train);
  line("test", sets.test);
  std::fflush(stdout);
}

int work(const Flags& flags) {
  const auto start = Clock::now();
  const TrainFlags::Result settings = flags.train.resolve();
  train::Config config = settings.config;
  const CatchInterrupts guard;
  const Material material = load(config, flags.data);
  // Another set may have taken the place of a known one: config.json says which, and where.
  if (data::find_known_set(config.dataset) && material.name() != config.dataset)
    config.dataset = material.sets->train.place;
  const train::Provenance provenance = provenance_of(material);
  check_repeats(settings, provenance);
  const double loading = seconds_since(start);
  train::Trainer trainer = make_trainer(config, material);  // refuses what can't be held
  const Output output = flags.json ? Output::json : flags.quiet ? Output::quiet : Output::text;
  if (output == Output::text) print_sizes(config, material);
  if (material.sets) note_unpublished(*material.sets);

  flags.verbose.say();
  for (const std::int64_t step : config.save_at)
    if (step > trainer.steps())
      say_note(fmt::format("--save-at {} lies behind the last step, {}", step, trainer.steps()));
  RunFolder folder(flags.out, config, material.name());
  folder.write_config(config, provenance);
  Progress progress(output, material.name(), material.task, trainer.steps());
  const auto save = [&](const std::string& name) {
    train::save_model(folder.file(name), trainer.description(), trainer.parameters());
  };
  std::int64_t last_step = 0;
  const train::Observer observer{
      .step =
          [&](const train::StepResult& result) {
            last_step = result.step;
            folder.log(result);
            progress.step(result);
          },
      .evaluation =
          [&](std::int64_t step, double loss, const train::Evaluation& evaluation) {
            folder.log(step, loss, evaluation, material.name());
            progress.evaluation(step, loss, evaluation);
          },
      .save = [&](std::int64_t step) { save(fmt::format("step_{}.safetensors", step)); },
      .stop = [] { return interrupted(); },
  };

  bool finished = false;
  try {
    finished = trainer.run(observer);
  } catch (const train::Diverged& diverged) {
    progress.clear();
    save("model.safetensors");
    folder.log(diverged);
    folder.finish_log();
    fmt::print(stderr, "unroll: {}\nthe last finite weights are in {}\n", diverged.what(),
               printable(folder.file("model.safetensors")));
    return kFailed;
  }
  save("model.safetensors");
  folder.finish_log();
  if (!finished) {
    progress.clear();
    fmt::print(stderr, "interrupted after step {}; the weights so far are in {}\n", last_step,
               printable(folder.file("model.safetensors")));
    return kInterrupted;
  }
  progress.done(trainer.last_evaluation(),
                {loading, trainer.times().training, trainer.times().testing, seconds_since(start)},
                folder.path(), config.dataset);
  return kOk;
}

}  // namespace

void add_train(CLI::App& program, Work& chosen) {
  CLI::App* verb =
      add_verb(program, "train",
               "Train a network on images, read row by row or whole, or on a task of memory.",
               "unroll train mnist --recipe tuned --seed 0");
  const auto flags = std::make_shared<Flags>();
  flags->train.add_to(*verb);
  flags->data.add_to(*verb);
  verb->add_option("--out", flags->out, "Folder for the run; runs/... if left out");
  verb->add_flag("--json", flags->json, "Lines of JSON on stdout");
  verb->add_flag("--quiet", flags->quiet, "Only the final accuracy");
  flags->verbose.add_to(*verb);
  verb->callback([flags, &chosen] { chosen = [flags] { return work(*flags); }; });
}

}  // namespace unroll::app
