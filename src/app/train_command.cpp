// unroll train: from a data set to a run's folder.
#include <fmt/format.h>

#include "app/commands.h"
#include "app/messages.h"
#include "app/resume.h"
#include "app/standard_streams.h"
#include "app/train_flags.h"
#include "app/training.h"
#include "app/verbose.h"
#include "data/catalogue.h"
#include "run/provenance.h"
#include "run/stop_signal.h"
#include "train/describe.h"

namespace unroll::app {
namespace {

struct TrainCommandFlags {
  TrainFlags train;
  DataFlags data;
  VerboseFlag verbose;
  std::string out, resume, checkpoint_every = "60s";
  bool json = false, quiet = false;
};

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

int work(const TrainCommandFlags& flags) {
  const auto start = Clock::now();
  allow_closed_stdout();  // all of it also stands in the run's folder
  const Output output = flags.json ? Output::json : flags.quiet ? Output::quiet : Output::text;
  const run::CheckpointEvery every = parse_checkpoint_every(flags.checkpoint_every);
  const run::CatchStopSignals guard;
  if (!flags.resume.empty()) {
    if (!flags.out.empty())
      throw UsageError("--resume goes on in the run's own folder; leave --out out");
    flags.verbose.say();
    return resume({flags.resume, flags.train, flags.data, output, every});
  }
  if (flags.out == "-")
    throw UsageError("--out is the run's folder, not stdout; name one (./- for one called -)");
  if (!flags.out.empty()) run::check_is_free(flags.out);
  const TrainFlags::Result settings = flags.train.resolve();
  train::Config config = settings.config;
  const auto source = flags.data.open(config.dataset, train::source_options(config));
  // Another set may have taken the place of a known one: config.json says which, and where.
  if (data::find_known_set(config.dataset) && source->name() != config.dataset)
    config.dataset = source->place();
  const train::Provenance provenance = run::provenance_of(*source);
  check_repeats(settings, provenance);
  const double loading = seconds_since(start);
  train::Trainer trainer(config, source);  // refuses what can't be held
  if (output == Output::text) fmt::print("{}", source->sizes_text());
  std::fflush(stdout);
  tell_note(*source);

  flags.verbose.say();
  for (const std::int64_t step : config.save_at)
    if (step > trainer.steps())
      say_note(fmt::format("--save-at {} lies behind the last step, {}", step, trainer.steps()));
  run::RunFolder folder(flags.out, config, provenance, source->name());
  return train_to_end(
      {config, flags.data, *source, trainer, folder, {}, output, every, start, loading});
}

}  // namespace

void add_train(Command& program) {
  Command command = program.add(
      "train", "Train a network on images, read row by row or whole, or on a task of memory.",
      "unroll train mnist --recipe tuned --seed 0");
  const auto flags = std::make_shared<TrainCommandFlags>();
  flags->train.add_to(command);
  flags->data.add_to(command);
  command.option("--out", flags->out, "Folder for the run, new or empty; runs/... if left out")
      .folder();
  command
      .option("--resume", flags->resume,
              "Go on with the run in this folder, which did not end. The bits stay the same")
      .folder();
  command.option("--checkpoint-every", flags->checkpoint_every,
                 "Seconds, as in 0.5s, or a number of steps; a minute if left out");
  command.flag("--json", flags->json, "Lines of JSON on stdout");
  command.flag("--quiet", flags->quiet, "Only the final results");
  flags->verbose.add_to(command);
  command.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
