#include "app/resume.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <string>

#include "app/exit_code.h"
#include "app/messages.h"
#include "app/report_file.h"
#include "app/usage_error.h"
#include "core/printable.h"
#include "core/shell_word.h"
#include "data/catalogue.h"
#include "report/run_commands.h"
#include "run/initial_model.h"
#include "run/provenance.h"
#include "run/resume.h"
#include "train/describe.h"

namespace unroll::app {
namespace {

/// Refuses other settings than the run's.
void check_same_settings(const ResumeFlags& flags, const run::ResumedRun& run,
                         const train::Config& config) {
  if (const auto all = run.other_settings(config); !all.empty())
    throw UsageError(
        fmt::format("--resume goes on with the settings of {}; leave other ones out, "
                    "or start another run: {}",
                    flags.run, fmt::join(all, "; ")));
}

/// A finished run needs nothing, unless the flags name other data.
int leave_finished(const ResumeFlags& flags, const run::ResumedRun& run,
                   const train::Config& config) {
  // A known set is not loaded for this: it might have to be downloaded first.
  if (config.dataset != run.config().dataset && !data::find_known_set(config.dataset))
    run.check_same_data(run::provenance_of(*flags.data.open(config.dataset, {})));
  tell("the run in {} is finished; test it with: {}\n", printable(flags.run),
       report::eval_command(flags.run, config.dataset).command);
  return flags.extras.report ? report_run(flags.run, flags.output) : kOk;
}

/// How many steps a finished run shall make in addition; 0 without --steps.
std::int64_t more_steps(const ResumeFlags& flags, const run::ResumedRun& run,
                        const train::Config& config) {
  if (!flags.train.is_given("steps")) return 0;
  if (!run.is_finished())
    throw UsageError(
        fmt::format("--resume with --steps adds steps to a finished run, and {} did not "
                    "end; let it end first: unroll train --resume {}",
                    flags.run, shell_word(flags.run)));
  if (config.steps < 1)
    throw UsageError(
        fmt::format("--steps {}, expected the number of steps to add, at least 1", config.steps));
  return config.steps;
}

void tell_where_it_goes_on(const std::string& run, std::int64_t made, std::int64_t all) {
  if (made > 0)
    tell("going on with {} after step {} of {}\n", printable(run), made, all);
  else
    tell("{} has no checkpoint yet: starting again from its config.json\n", printable(run));
}

/// The steps after the last checkpoint are made again: a run that ends writes none.
void tell_of_extension(const std::string& run, std::int64_t made, std::int64_t steps,
                       std::int64_t all) {
  const std::string where =
      made > 0 ? fmt::format("its last checkpoint is of step {}", made) : "it has no checkpoint";
  tell("adding steps {} to {} to {}; it goes on from step {}, because {}\n", steps + 1, all,
       printable(run), made + 1, where);
}

/// The user has seen a test result, and may go on because of it.
void note_an_earlier_test(const data::Source& source, const train::Config& config) {
  if (source.tests_while_training() || config.leave_test || source.size(data::Split::test) == 0)
    return;
  say_note(
      fmt::format("the test part was read after step {}, too; if that result made you add steps, "
                  "the next result may be too good",
                  config.restart_at.back()));
}

}  // namespace

int resume(const ResumeFlags& flags) {
  const auto start = Clock::now();
  const run::Warn warn = [](const std::string& text) { tell("*** {} ***\n", text); };
  run::ResumedRun run(flags.run, warn);
  train::Config config = flags.train.beside(run.config());
  const std::int64_t more = more_steps(flags, run, config);
  if (more > 0) {
    config.steps = run.config().steps;
    config.epochs = run.config().epochs;
  }
  // Of --normalize auto, only the data can say whether the run has it.
  const bool scale_from_data = !config.normalization;
  if (scale_from_data) config.normalization = run.config().normalization;
  check_same_settings(flags, run, config);
  if (more > 0)
    run.check_can_be_extended();
  else if (run.is_finished())
    return leave_finished(flags, run, config);
  const auto source = flags.data.open(config.dataset, train::source_options(config, run.classes()));
  const auto initial = run::initial_model(config);
  run.check_same_data(run::provenance_of(*source, initial));
  if (scale_from_data) config.normalization = source->pixel_scale();
  check_same_settings(flags, run, config);
  std::int64_t steps = 0;
  if (more > 0) {
    steps = config.epochs > 0 ? train::Trainer(config, source).steps() : config.steps;
    run.extend(steps, more, warn);
    config.steps = run.config().steps;
    config.epochs = 0;
    config.restart_at = run.config().restart_at;
  }
  const double loading = seconds_since(start);
  train::Trainer trainer(config, source, run::weights_of(initial));
  const auto& checkpoint = run.checkpoint();
  if (checkpoint) trainer.resume(*checkpoint);
  const std::int64_t made = checkpoint ? checkpoint->last.step : 0;
  if (more > 0)
    tell_of_extension(flags.run, made, steps, trainer.steps());
  else
    tell_where_it_goes_on(flags.run, made, trainer.steps());
  if (more > 0) note_an_earlier_test(*source, config);
  return train_to_end({config, flags.data, *source, trainer, run.folder(), checkpoint, flags.output,
                       flags.every, start, loading, flags.extras});
}

}  // namespace unroll::app
