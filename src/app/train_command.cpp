// unroll train: from a data set to a run's folder.
#include <fmt/format.h>

#include "app/commands.h"
#include "app/dry_run.h"
#include "app/messages.h"
#include "app/report_file.h"
#include "app/resume.h"
#include "app/standard_streams.h"
#include "app/train_flags.h"
#include "app/training.h"
#include "app/verbose.h"
#include "data/catalogue.h"
#include "run/provenance.h"
#include "run/run_name.h"
#include "run/stop_signal.h"
#include "train/describe.h"

namespace unroll::app {
namespace {

struct TrainCommandFlags {
  TrainFlags train;
  DataFlags data;
  VerboseFlag verbose;
  std::string out, resume, checkpoint_every = "60s";
  bool json = false, quiet = false, dry_run = false;
  Extras extras;
};

/// Only the same data and the same numerics repeat a run.
void check_repeats(const TrainFlags::Result& settings, const train::Provenance& now) {
  if (!settings.provenance || settings.other_data) return;
  const train::Provenance& then = *settings.provenance;
  if (then.train_sha256 != now.train_sha256 || then.test_sha256 != now.test_sha256)
    throw FormatError("train", fmt::format("the data of {} is not that of config.json (its SHA-256 "
                                           "differs); name the data set beside --config to train "
                                           "on it anyway",
                                           settings.config.dataset));
  if (then.numerics_revision != now.numerics_revision)
    say_note(
        fmt::format("config.json has numerics revision {}, this program {}: the weights will "
                    "differ in their last bits",
                    then.numerics_revision, now.numerics_revision));
}

/// The settings for the run's name. A scale that the data decided is auto, also when config.json
/// has its numbers.
train::Config asked_for(const TrainFlags::Result& settings, const data::Source& source) {
  train::Config config = settings.config;
  if (!settings.provenance) return config;
  config.normalization = source.pixel_scale();
  if (config != settings.config) return settings.config;
  config.normalization.reset();
  return config;
}

int work(const TrainCommandFlags& flags) {
  const auto start = Clock::now();
  allow_closed_stdout();  // the run's folder has all results, too
  if (flags.extras.diagnose && flags.quiet)
    throw UsageError("--diagnose prints the layers, and --quiet prints nothing; leave one out");
  if (flags.json && flags.quiet)
    throw UsageError("--quiet has no effect with --json; leave one of both out");
  const Output output = flags.json ? Output::json : flags.quiet ? Output::quiet : Output::text;
  const run::CheckpointEvery every = parse_checkpoint_every(flags.checkpoint_every);
  const run::CatchStopSignals guard;
  if (!flags.resume.empty()) {
    if (!flags.out.empty())
      throw UsageError("--resume goes on in the run's own folder; leave --out out");
    if (flags.dry_run)
      throw UsageError("--dry-run shows a new run, and --resume goes on with one; leave one out");
    flags.verbose.say();
    return resume({flags.resume, flags.train, flags.data, output, every, flags.extras});
  }
  if (flags.out == "-")
    throw UsageError("--out takes a folder, not stdout; name one (./- for one called -)");
  if (!flags.out.empty()) run::check_is_free(flags.out);
  if (!flags.out.empty() && flags.extras.report) default_report({flags.out});
  const TrainFlags::Result settings = flags.train.resolve();
  if (flags.dry_run) return dry_run(flags.train, settings, flags.data, flags.json);
  train::Config config = settings.config;
  const auto source =
      flags.data.open(config.dataset, train::source_options(config, settings.classes()));
  // Another set may have replaced a known one: config.json names it and its place.
  if (data::find_known_set(config.dataset) && source->name() != config.dataset)
    config.dataset = source->place();
  config = train::settled(config, *source);
  const train::Provenance provenance = run::provenance_of(*source);
  check_repeats(settings, provenance);
  const double loading = seconds_since(start);
  train::Trainer trainer(config, source);  // refuses a model that is too large
  if (output == Output::text) fmt::print("{}", source->sizes_text());
  std::fflush(stdout);
  tell_note(*source);

  flags.verbose.say();
  for (const std::int64_t step : config.save_at)
    if (step > trainer.steps())
      say_note(fmt::format("--save-at {} comes after the last step, {}", step, trainer.steps()));
  run::RunFolder folder(flags.out, config, provenance,
                        run::run_name(asked_for(settings, *source), source->name()));
  return train_to_end({config,
                       flags.data,
                       *source,
                       trainer,
                       folder,
                       {},
                       output,
                       every,
                       start,
                       loading,
                       flags.extras});
}

}  // namespace

void add_train(Command& program) {
  Command command = program.add("train",
                                "Train a network on images or on a task of memory. Flags change "
                                "single settings of a recipe.",
                                "unroll train mnist --recipe tuned --seed 0");
  const auto flags = std::make_shared<TrainCommandFlags>();
  flags->train.add_to(command);
  flags->data.add_to(command);
  flags->verbose.add_to(command);
  const auto group_of = [](train::Group group) { return std::string(name_of(group)); };
  command.find("--data-dir").group(group_of(train::Group::data));
  command.find("--fallback-fashion").group(group_of(train::Group::data));
  command.find("--verbose").group(group_of(train::Group::output));
  command
      .option("--resume", flags->resume,
              "Continue the unfinished run in this folder, to the same bits. Default none")
      .folder()
      .group(group_of(train::Group::run));
  command
      .option("--checkpoint-every", flags->checkpoint_every,
              "Seconds between checkpoints (as in 0.5s), or training steps")
      .value("TIME")
      .shows_default()
      .group(group_of(train::Group::run));
  command
      .flag("--dry-run", flags->dry_run,
            "Show every setting and the source of its value; train nothing. Default off")
      .group(group_of(train::Group::run));
  command.option("--out", flags->out, "Folder for the run, new or empty. Default runs/NAME")
      .folder()
      .group(group_of(train::Group::output));
  command
      .flag("--report", flags->extras.report,
            "Write a page about the run when it ends: runs/NAME.html. Default off")
      .group(group_of(train::Group::output));
  command
      .flag("--diagnose", flags->extras.diagnose,
            "Print numbers of every layer after each test: weights, updates, gradients. Default "
            "off")
      .group(group_of(train::Group::output));
  command.flag("--json", flags->json, "Print results as lines of JSON. Default off")
      .group(group_of(train::Group::output));
  command.flag("--quiet", flags->quiet, "Print only the final results. Default off")
      .group(group_of(train::Group::output));
  command.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
