#include "app/resume.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/verbs.h"

namespace unroll::app {
namespace {

/// The settings that the run has had so far. config.json must still hold them.
train::LoadedConfig settings_of(const RunFolder& folder,
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

}  // namespace

int resume(const ResumeFlags& flags) {
  const auto start = Clock::now();
  RunFolder folder(flags.run);
  if (folder.status() == RunStatus::finished) {
    fmt::print(stderr, "the run in {} is finished; test it with: unroll eval {}\n", flags.run,
               flags.run);
    return kOk;
  }
  if (folder.status() == RunStatus::diverged)
    throw FormatError("resume", fmt::format("the run in {} ended where its numbers stopped being "
                                            "finite, and would again; train anew with other "
                                            "settings, for example a smaller --lr",
                                            flags.run));
  auto checkpoint = folder.last_checkpoint();
  const train::LoadedConfig run = settings_of(folder, checkpoint);
  const train::Config config = flags.train.beside(run.config);
  train::Config compared = config;
  if (!train::find_task(config.dataset) && !train::find_task(run.config.dataset))
    compared.dataset = run.config.dataset;  // wherever the data lies, it is known by its hash
  if (const auto all = train::differences(run.config, compared); !all.empty())
    throw UsageError(
        fmt::format("--resume goes on with the settings of {}; leave other ones out, "
                    "or start another run: {}",
                    flags.run, fmt::join(all, "; ")));

  const Material material = load_material(config, flags.data);
  if (const auto all = differences(run.provenance, provenance_of(material)); !all.empty())
    throw FormatError("resume", fmt::format("{} can't go on to the same weights: {}; give it the "
                                            "data and the program it began with, or start another "
                                            "run",
                                            flags.run, fmt::join(all, "; ")));
  const double loading = seconds_since(start);
  train::Trainer trainer = make_trainer(config, material);
  if (checkpoint) trainer.resume(*checkpoint);
  const std::int64_t made = checkpoint ? checkpoint->last.step : 0;
  if (made > 0)
    fmt::print(stderr, "going on with {} after step {} of {}\n", flags.run, made, trainer.steps());
  else
    fmt::print(stderr, "{} has no checkpoint yet: starting again from its config.json\n",
               flags.run);
  return train_to_end({config, flags.data, material, trainer, folder, std::move(checkpoint),
                       flags.output, flags.every, start, loading});
}

}  // namespace unroll::app
