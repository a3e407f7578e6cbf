#include "app/resume.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

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

}  // namespace

int resume(const ResumeFlags& flags) {
  const auto start = Clock::now();
  run::ResumedRun run(flags.run, [](const std::string& text) { tell("*** {} ***\n", text); });
  train::Config config = flags.train.beside(run.config());
  // Of --normalize auto, only the data can say whether the run has it.
  const bool scale_from_data = !config.normalization;
  if (scale_from_data) config.normalization = run.config().normalization;
  check_same_settings(flags, run, config);
  if (run.is_finished()) return leave_finished(flags, run, config);
  const auto source = flags.data.open(config.dataset, train::source_options(config, run.classes()));
  const auto initial = run::initial_model(config);
  run.check_same_data(run::provenance_of(*source, initial));
  if (scale_from_data) config.normalization = source->pixel_scale();
  check_same_settings(flags, run, config);
  const double loading = seconds_since(start);
  train::Trainer trainer(config, source, run::weights_of(initial));
  const auto& checkpoint = run.checkpoint();
  if (checkpoint) trainer.resume(*checkpoint);
  const std::int64_t made = checkpoint ? checkpoint->last.step : 0;
  if (made > 0)
    tell("going on with {} after step {} of {}\n", printable(flags.run), made, trainer.steps());
  else
    tell("{} has no checkpoint yet: starting again from its config.json\n", printable(flags.run));
  return train_to_end({config, flags.data, *source, trainer, run.folder(), checkpoint, flags.output,
                       flags.every, start, loading, flags.extras});
}

}  // namespace unroll::app
