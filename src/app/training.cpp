#include "app/training.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cmath>

#include "app/messages.h"
#include "app/verbs.h"
#include "core/printable.h"
#include "core/shell_word.h"
#include "nn/model_file.h"
#include "run/file_names.h"
#include "run/stop_signal.h"

namespace unroll::app {
namespace {

/// How the user goes on with a run.
std::string command_for(const Run& run) {
  std::string command = "unroll train --resume " + shell_word(run.folder.path());
  if (!run.data.data_dir.empty()) command += " --data-dir " + shell_word(run.data.data_dir);
  return command;
}

/// The same where a file could not be written: what has to be done before.
std::string way_on(const Run& run) {
  const std::string path = run.folder.path();
  const int error = run.folder.write_error();
  if (error == ENOENT)
    return fmt::format("{} is gone, and the run with it: train it again", printable(path));
  const std::string remedy =
      error == 0        ? "Make room, or repair the disk,"
      : error == EROFS  ? fmt::format("{} is on a file system that is read-only: make it writable,",
                                      printable(path))
      : error == EACCES ? fmt::format("Give yourself permission to write in {},", printable(path))
                        : fmt::format("See to it that {} can be written in,", printable(path));
  return fmt::format("what was written before is whole. {} and go on with: {}", remedy,
                     command_for(run));
}

/// Whether it is time for a checkpoint. Only when, never what: no bit depends on the clock.
class Due {
 public:
  explicit Due(const CheckpointEvery& every) : every_(every) {}
  bool after(std::int64_t step) const {
    return every_.steps > 0 ? step % every_.steps == 0 : seconds_since(last_) >= every_.seconds;
  }
  void written() { last_ = Clock::now(); }

 private:
  CheckpointEvery every_;
  Clock::time_point last_ = Clock::now();
};

}  // namespace

CheckpointEvery parse_checkpoint_every(const std::string& text) {
  CheckpointEvery every;
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
  run::RunFolder& folder = run.folder;
  const std::string dataset = run.material.name();
  std::int64_t last_step = run.from ? run.from->last.step : 0;
  Progress progress(run.output, dataset, run.material.task, trainer.steps(), last_step);
  const auto model = [&] { return nn::model_bytes(trainer.description(), trainer.parameters()); };
  const auto model_file = [&] { return folder.file(run::model_file); };
  Due due(run.every);
  train::Callbacks callbacks;
  callbacks.on_step = [&](const train::StepResult& result) {
    last_step = result.step;
    folder.log(result);
  };
  callbacks.on_save = [&](std::int64_t step) { folder.save(run::step_file(step), model()); };
  callbacks.on_evaluation = [&](const train::StepResult& result,
                                const train::Evaluation& evaluation) {
    folder.log(result, evaluation, dataset);
  };
  callbacks.stops = [&] {
    const bool stop = run::stop_requested();
    if (stop || due.after(last_step)) {
      folder.save_checkpoint(trainer.checkpoint());
      due.written();
    }
    return stop;
  };

  try {
    folder.begin(run.from);
    try {
      if (!trainer.run({&callbacks, &progress})) {
        progress.clear();
        folder.end(run::RunStatus::interrupted, last_step, model());
        tell(
            "interrupted by {} after step {} of {}; go on with: {}\nthe weights so far are in {}\n",
            run::name_of_signal(run::stop_signal()), last_step, trainer.steps(), command_for(run),
            printable(model_file()));
        return status_of_signal(run::stop_signal());
      }
      folder.end(run::RunStatus::finished, last_step, model());
    } catch (const train::Diverged& diverged) {
      folder.log(diverged);
      folder.save_earlier_checkpoint(trainer.checkpoint());
      folder.end(run::RunStatus::diverged, diverged.kept.step, model());
      progress.diverged(diverged);
      say_error(diverged.what());
      tell("the weights {} are in {}\n",
           diverged.kept.step > 0
               ? fmt::format("after step {}, the last good ones,", diverged.kept.step)
               : "before the first step, the only good ones,",
           printable(model_file()));
      return kFailed;
    }
  } catch (const FileError& error) {
    progress.clear();
    say_error(error.what());
    tell("stopped after step {}; {}\n", last_step, way_on(run));
    return kFailed;
  }
  progress.done(
      trainer.last_evaluation(),
      {run.loading, trainer.times().training, trainer.times().testing, seconds_since(run.start)},
      folder.path(), run.config.dataset);
  return kOk;
}

}  // namespace unroll::app
