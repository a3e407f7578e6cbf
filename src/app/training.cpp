#include "app/training.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "app/diagnosis.h"
#include "app/exit_code.h"
#include "app/messages.h"
#include "app/report_file.h"
#include "app/summary.h"
#include "app/terminal.h"
#include "app/usage_error.h"
#include "core/file.h"
#include "core/printable.h"
#include "core/shell_word.h"
#include "data/catalogue.h"
#include "run/file_names.h"
#include "run/metrics_log.h"
#include "run/provenance.h"
#include "run/stop_signal.h"
#include "train/describe.h"

namespace unroll::app {
namespace {

/// Only the same data, the same model of --init-from and the same numerics repeat a run.
void check_repeats(const TrainFlags::Result& settings, const train::Provenance& now) {
  if (!settings.provenance || settings.other_data) return;
  train::Provenance then = *settings.provenance;
  if (settings.other_validation) then.validation_sha256 = now.validation_sha256;
  if (settings.other_initial || settings.config.init_from.empty())
    then.init_sha256 = now.init_sha256;
  if (then.names_data() &&
      (then.train_sha256 != now.train_sha256 || then.test_sha256 != now.test_sha256 ||
       then.validation_sha256 != now.validation_sha256))
    throw FormatError("train", fmt::format("the data of {} is not that of config.json (its SHA-256 "
                                           "differs); name the data set beside --config to train "
                                           "on it anyway",
                                           settings.config.dataset));
  if (then.names_data() && then.init_sha256 != now.init_sha256)
    throw FormatError("train", fmt::format("{} is not the model of config.json (its SHA-256 "
                                           "differs); give --init-from to begin with it anyway",
                                           printable(settings.config.init_from)));
  if (then.numerics_revision != now.numerics_revision)
    say_note(
        fmt::format("config.json has numerics revision {}, this program {}: the weights will "
                    "differ in their last bits",
                    then.numerics_revision, now.numerics_revision));
}

/// The command that continues a run.
std::string command_for(const Run& run) {
  std::string command = "unroll train --resume " + shell_word(run.folder.path());
  if (!run.data.data_dir.empty()) command += " --data-dir " + shell_word(run.data.data_dir);
  return command;
}

/// How to continue a run that could not write a file.
std::string way_on(const Run& run) {
  const std::string path = run.folder.path();
  const int error = run.folder.write_error();
  if (error == ENOENT)
    return fmt::format("{} is gone, and the run with it: train it again", printable(path));
  const std::string remedy =
      error == 0 ? "Make room, or repair the disk,"
      : error == EROFS
          ? fmt::format("{} is on a read-only file system: make it writable,", printable(path))
      : error == EACCES ? fmt::format("Give yourself permission to write in {},", printable(path))
                        : fmt::format("Make {} writable,", printable(path));
  return fmt::format("all earlier files are whole. {} and go on with: {}", remedy,
                     command_for(run));
}

int tell_of_interruption(const Run& run, const run::End& end) {
  tell("interrupted by {} after step {} of {}; go on with: {}\nthe weights so far are in {}\n",
       run::name_of_signal(run::stop_signal()), end.step, run.trainer.steps(), command_for(run),
       printable(end.model));
  return status_of_signal(run::stop_signal());
}

int tell_of_divergence(const run::End& end) {
  say_error(end.diverged->what());
  tell("the weights {} are in {}\n",
       end.step > 0 ? fmt::format("after step {}, the last good ones,", end.step)
                    : "before the first step, the only good ones,",
       printable(end.model));
  return kFailed;
}

/// The bars of the loss show the whole run, also the steps before it was resumed.
void show_earlier_steps(const Run& run, Progress& progress) {
  if (!run.from || !progress.redraws()) return;
  try {
    constexpr std::uint64_t kMost = 100'000'000;  // about a second
    const std::string path = run.folder.file(run::metrics_file);
    const std::string all = read_text("resume", path, kMost);
    const auto lines = std::string_view(all).substr(0, run.from->metrics_bytes);
    for (const auto& step : run::read_metrics_log(lines, path).steps)
      progress.earlier_step(step.loss);
  } catch (const Error&) {  // then they show less
  }
}

}  // namespace

Prepared prepare(const TrainFlags::Result& settings, const DataFlags& data) {
  Prepared run{.config = settings.config, .source = nullptr, .provenance = {}, .initial = {}};
  train::Config& config = run.config;
  run.source = data.open(config.dataset, train::source_options(config, settings.classes()));
  // Another set may have replaced a known one: config.json names it and its place.
  if (data::find_known_set(config.dataset) && run.source->name() != config.dataset)
    config.dataset = run.source->place();
  if (run.source->size(data::Split::validation) == 0 && !settings.needs_validation.empty())
    throw UsageError(
        fmt::format("{} needs a validation part, and {} has none; give one, as in "
                    "--validate 0.15, or leave it out",
                    settings.needs_validation, printable(run.source->name())));
  config = train::settled(config, *run.source);
  run.initial = run::initial_model(config);
  run.provenance = run::provenance_of(*run.source, run.initial);
  check_repeats(settings, run.provenance);
  return run;
}

run::CheckpointEvery parse_checkpoint_every(const std::string& text) {
  run::CheckpointEvery every;
  const bool timed = text.ends_with('s');
  const char* const end = text.data() + text.size() - (timed ? 1 : 0);
  const auto [after, error] = timed ? std::from_chars(text.data(), end, every.seconds)
                                    : std::from_chars(text.data(), end, every.steps);
  if (error != std::errc() || after != end || !std::isfinite(every.seconds) ||
      !(timed ? every.seconds > 0 : every.steps > 0))
    throw UsageError(
        fmt::format("--checkpoint-every {}, expected seconds, as in 0.5s, or a number "
                    "of steps, as in 100",
                    text));
  return every;
}

int train_to_end(const Run& run) {
  train::Trainer& trainer = run.trainer;
  if (run.extras.report) default_report({run.folder.path()});  // throws if its place is taken
  Progress progress(run.output, run.source, trainer.steps(), run.from ? run.from->last.step : 0);
  show_earlier_steps(run, progress);
  Diagnosis diagnosis(run.output, run.config, run.extras.diagnose);
  train::Callbacks signals;
  signals.stops = run::stop_requested;
  try {
    const run::End end =
        run::train_to_end(trainer, run.folder, run.from,
                          {run.every, {&progress, &diagnosis, &signals}, run.config.tensorboard});
    progress.clear();
    if (end.status == run::RunStatus::interrupted) return tell_of_interruption(run, end);
    if (end.diverged) {
      progress.diverged(*end.diverged);
      const int code = tell_of_divergence(end);
      diagnosis.diverged(*end.diverged);
      if (run.extras.report) report_run(end.folder, run.output);
      return code;
    }
    progress.done(
        end.evaluation, end.step,
        {run.loading, trainer.times().training, trainer.times().testing, seconds_since(run.start)},
        end.folder, run.config.dataset);
    const int code = run.extras.report ? report_run(end.folder, run.output) : kOk;
    if (run.output == Output::text && stderr_is_terminal())
      tell(summary_of({run.config, trainer.description(), end.evaluation, end.folder,
                       run.data.data_dir, run.extras.report && code == kOk, run.folder.files()}));
    return code;
  } catch (const FileError& error) {
    progress.clear();
    say_error(error.what());
    tell("stopped after step {}; {}\n", run.folder.last_logged(), way_on(run));
    return kFailed;
  }
}

}  // namespace unroll::app
