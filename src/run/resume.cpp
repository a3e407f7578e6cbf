#include "run/resume.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <limits>

#include "core/file.h"
#include "core/shell_word.h"
#include "data/catalogue.h"
#include "data/source_traits.h"
#include "run/file_names.h"
#include "run/metrics.h"
#include "run/provenance.h"
#include "train/divergence.h"
#include "unroll/core/error.h"

namespace unroll::run {
namespace {

/// Whether the two names certainly mean different data. A known name determines the data. A
/// folder's data is only known by its hash, after loading.
bool is_other_data(const std::string& there, const std::string& here) {
  if (there == here) return false;
  if (data::source_traits(there).endless || data::source_traits(here).endless) return true;
  return data::find_known_set(there) && data::find_known_set(here);
}

}  // namespace

ResumedRun::ResumedRun(const std::string& path, const Warn& warn) : folder_(path) {
  if (folder_.status() == RunStatus::diverged)
    throw FormatError(
        "resume",
        fmt::format("the run in {} diverged, and would diverge again; its model has the last good "
                    "weights, after step {}. Start a new run with {}",
                    path, folder_.step(), train::remedy_for_divergence(settings().config)));
  if (is_finished())
    folder_.check_files();
  else
    checkpoint_ = folder_.last_checkpoint(warn);
  settings_ = settings();
  if (!is_finished()) check_revision();
}

void ResumedRun::check_revision() const {
  const std::string path = folder_.path();
  if (const std::string other = other_revision(settings_.provenance, path); !other.empty())
    throw FormatError("resume",
                      fmt::format("{} can't be resumed to the same weights: {}", path, other));
}

void ResumedRun::check_can_be_extended() const {
  check_revision();
  if (config().refit)
    throw FormatError("resume",
                      fmt::format("{} can't be extended: --refit trained it again for the best "
                                  "number of steps; start a new run without --refit",
                                  folder_.path()));
}

void ResumedRun::extend(std::int64_t steps, std::int64_t more, const Warn& warn) {
  const std::string metrics =
      read_text("resume", folder_.file(metrics_file), std::numeric_limits<std::uint64_t>::max());
  if (lines_up_to(metrics, steps - 1).size() == metrics.size())
    throw FormatError(
        "resume", fmt::format("{} can't be extended: it stopped before step {}, because the "
                              "validation loss no longer fell (--patience {}); start a run that "
                              "makes all steps: unroll train --config {} --patience 0",
                              folder_.path(), steps, config().patience,
                              shell_word(folder_.file(config_file))));
  train::Config longer = config();
  longer.epochs = 0;
  if (__builtin_add_overflow(steps, more, &longer.steps))
    throw ValueError("resume",
                     fmt::format("--steps {} after {} steps, expected fewer", more, steps));
  longer.restart_at.push_back(steps);
  train::validate(longer);
  checkpoint_ = folder_.last_checkpoint(warn);
  folder_.extend(train::to_json(longer, settings_.provenance));
  settings_.config = longer;
}

/// The run's settings. Throws FormatError if config.json was changed.
train::LoadedConfig ResumedRun::settings() const {
  const std::string file = folder_.file(config_file);
  if (folder_.config_is_intact()) return train::config_from_json(folder_.config(), file);
  std::string changes;
  if (checkpoint_) try {
      const auto then = train::config_from_json(checkpoint_->config, file);
      const auto now = train::config_from_json(folder_.config(), file);
      changes = fmt::format(": {}", fmt::join(train::differences(then.config, now.config), "; "));
    } catch (const Error&) {  // one can't be read: name no changes
    }
  throw FormatError("resume", fmt::format("{} was changed or is damaged: its SHA-256 is not what "
                                          "manifest.json says; put it back as it was{}",
                                          file, changes.size() > 2 ? changes : ""));
}

std::vector<std::string> ResumedRun::other_settings(const train::Config& wanted) const {
  train::Config compared = wanted;
  if (!is_other_data(config().dataset, wanted.dataset)) compared.dataset = config().dataset;
  return train::differences(config(), compared);
}

void ResumedRun::check_same_data(const train::Provenance& now) const {
  if (const auto all = differences(settings_.provenance, now); !all.empty())
    throw FormatError("resume", fmt::format("{} can't be resumed to the same weights: {}; use the "
                                            "data and the program that it began with, or start a "
                                            "new run",
                                            folder_.path(), fmt::join(all, "; ")));
}

}  // namespace unroll::run
