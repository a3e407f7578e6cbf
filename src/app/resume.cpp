#include "app/resume.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/messages.h"
#include "app/verbs.h"
#include "core/printable.h"
#include "core/shell_word.h"
#include "data/catalogue.h"

namespace unroll::app {
namespace {

/// The settings that the run has had so far. config.json must still hold them.
train::LoadedConfig settings_of(const run::RunFolder& folder,
                                const std::optional<train::Checkpoint>& checkpoint) {
  const std::string file = folder.file("config.json");
  if (folder.config_is_intact()) return train::config_from_json(folder.config(), file);
  std::string changes;
  if (checkpoint) try {
      const auto then = train::config_from_json(checkpoint->config, file);
      const auto now = train::config_from_json(folder.config(), file);
      changes = fmt::format(": {}", fmt::join(train::differences(then.config, now.config), "; "));
    } catch (const Error&) {  // it can't even be read
    }
  throw FormatError("resume", fmt::format("{} was changed or is damaged: its SHA-256 is not what "
                                          "manifest.json says; put it back as it was{}",
                                          file, changes.size() > 2 ? changes : ""));
}

/// Whether the two can only be different data. A known name says what the data is; a folder's is
/// known by its hash alone, once it is loaded.
bool is_other_data(const std::string& there, const std::string& here) {
  if (there == here) return false;
  if (train::find_task(there) || train::find_task(here)) return true;
  return data::find_known_set(there) && data::find_known_set(here);
}

/// The settings that flags and the run's own make together; they must be the run's own.
train::Config same_settings(const ResumeFlags& flags, const train::Config& run) {
  train::Config config = flags.train.beside(run);
  train::Config compared = config;
  if (!is_other_data(run.dataset, config.dataset)) compared.dataset = run.dataset;
  if (const auto all = train::differences(run, compared); !all.empty())
    throw UsageError(
        fmt::format("--resume goes on with the settings of {}; leave other ones out, "
                    "or start another run: {}",
                    flags.run, fmt::join(all, "; ")));
  return config;
}

void check_same_data(const ResumeFlags& flags, const train::Provenance& then,
                     const Material& material) {
  if (const auto all = differences(then, provenance_of(material)); !all.empty())
    throw FormatError("resume", fmt::format("{} can't go on to the same weights: {}; give it the "
                                            "data and the program it began with, or start another "
                                            "run",
                                            flags.run, fmt::join(all, "; ")));
}

/// There is nothing to do, unless what was asked for or what is there is something else.
int leave_finished(const ResumeFlags& flags, const run::RunFolder& folder) {
  folder.check_files();
  const train::LoadedConfig run = settings_of(folder, {});
  const train::Config config = same_settings(flags, run.config);
  // A set that may have to be downloaded is not loaded for this.
  if (config.dataset != run.config.dataset && !data::find_known_set(config.dataset))
    check_same_data(flags, run.provenance, load_material(config, flags.data));
  tell("the run in {} is finished; test it with: unroll eval {}\n", printable(flags.run),
       shell_word(flags.run));
  return kOk;
}

}  // namespace

int resume(const ResumeFlags& flags) {
  const auto start = Clock::now();
  run::RunFolder folder(flags.run);
  if (folder.status() == run::RunStatus::finished) return leave_finished(flags, folder);
  if (folder.status() == run::RunStatus::diverged)
    throw FormatError(
        "resume",
        fmt::format("the run in {} diverged, and would again; its weights are the last good ones, "
                    "after step {}. Train anew with other settings, for example --clip-norm 1 or a "
                    "smaller --lr",
                    flags.run, folder.step()));
  auto checkpoint = folder.last_checkpoint();
  const train::LoadedConfig run = settings_of(folder, checkpoint);
  const train::Config config = same_settings(flags, run.config);
  const Material material = load_material(config, flags.data);
  check_same_data(flags, run.provenance, material);
  const double loading = seconds_since(start);
  train::Trainer trainer = make_trainer(config, material);
  if (checkpoint) trainer.resume(*checkpoint);
  const std::int64_t made = checkpoint ? checkpoint->last.step : 0;
  if (made > 0)
    tell("going on with {} after step {} of {}\n", printable(flags.run), made, trainer.steps());
  else
    tell("{} has no checkpoint yet: starting again from its config.json\n", printable(flags.run));
  return train_to_end({config, flags.data, material, trainer, folder, std::move(checkpoint),
                       flags.output, flags.every, start, loading});
}

}  // namespace unroll::app
