// unroll train: from a data set to a run's folder.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/commands.h"
#include "app/dry_run.h"
#include "app/messages.h"
#include "app/report_file.h"
#include "app/resume.h"
#include "app/standard_streams.h"
#include "app/train_flags.h"
#include "app/train_set.h"
#include "app/training.h"
#include "app/verbose.h"
#include "core/printable.h"
#include "run/run_name.h"
#include "run/stop_signal.h"

namespace unroll::app {
namespace {

struct TrainCommandFlags {
  TrainFlags train;
  DataFlags data;
  VerboseFlag verbose;
  SetFlags set;
  std::string out, resume, checkpoint_every = "60s";
  bool json = false, quiet = false, dry_run = false;
  Extras extras;
};

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

int train_several(const TrainCommandFlags& flags, Output output, run::CheckpointEvery every) {
  if (flags.extras.report)
    throw UsageError("--report is about one run; leave it out, and then: unroll report FOLDER/*");
  if (flags.extras.diagnose)
    throw UsageError("--diagnose is about one run; leave it out, or train one");
  flags.verbose.say();
  return train_set({flags.set, flags.train, flags.data, flags.out, output, every});
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
  const bool several = flags.set.ask_for_runs(flags.train);
  if (!flags.resume.empty()) {
    if (several)
      throw UsageError("--resume goes on with one run; several go on by their first command");
    if (!flags.out.empty())
      throw UsageError("--resume goes on in the run's own folder; leave --out out");
    if (flags.dry_run)
      throw UsageError("--dry-run shows a new run, and --resume goes on with one; leave one out");
    flags.verbose.say();
    return resume({flags.resume, flags.train, flags.data, output, every, flags.extras});
  }
  if (flags.out == "-")
    throw UsageError("--out takes a folder, not stdout; name one (./- for one called -)");
  if (several && !flags.dry_run) return train_several(flags, output, every);
  if (!flags.out.empty()) run::check_is_free(flags.out);
  if (!flags.out.empty() && flags.extras.report) default_report({flags.out});
  const TrainFlags::Result settings = flags.train.resolve();
  if (flags.dry_run) return dry_run(flags.train, settings, flags.data, flags.json);
  const auto [config, source, provenance, initial] = prepare(settings, flags.data);
  const double loading = seconds_since(start);
  train::Trainer trainer(config, source,
                         run::weights_of(initial));  // refuses a model that is too large
  if (output == Output::text) fmt::print("{}{}", source->inferred(), source->sizes_text());
  std::fflush(stdout);
  tell_note(*source);
  if (!trainer.not_initial().empty())
    say_note(
        fmt::format("--init-from: {} does not have {}; training begins with initial values "
                    "there",
                    printable(config.init_from), fmt::join(trainer.not_initial(), ", ")));

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
                                "Train a network on images, on your own series, or on a task of "
                                "memory. Flags change single settings of a recipe.",
                                "unroll train mnist --recipe tuned --seed 0");
  const auto flags = std::make_shared<TrainCommandFlags>();
  flags->train.add_to(command);
  flags->set.add_to(command);
  flags->data.add_to(command);
  flags->verbose.add_to(command);
  const auto group_of = [](train::Group group) { return std::string(name_of(group)); };
  command.find("--data-dir").group(group_of(train::Group::data));
  command.find("--fallback-fashion").group(group_of(train::Group::data));
  command.find("--verbose").group(group_of(train::Group::output));
  command
      .option("--resume", flags->resume,
              "Continue the unfinished run in this folder, to the same bits. With --steps N: add N "
              "steps to a finished run. Default none")
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
