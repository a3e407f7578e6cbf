#include "data/ts_recordings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "data/recorded_columns.h"
#include "data/ts_file.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

/// Compares what the header says with the settings.
void settle_task(const std::string& path, SeriesSettings& settings, const RecordedColumn& target) {
  const Task stated = target.is_text() ? Task::classify : Task::regress;
  if (settings.task != Task::automatic && settings.task != stated)
    throw ValueError("data", fmt::format("--task is {}, but {} says @{}Label true; leave --task "
                                         "out, or write a CSV file",
                                         name_of(settings.task), path, target.name));
  const std::vector<std::string> only = {target.name};
  if (!settings.target.empty() && settings.target != only)
    throw ValueError("data", fmt::format("--target is {}, but the target of {} is called {}; leave "
                                         "--target out",
                                         fmt::join(settings.target, ","), path, target.name));
  settings.task = stated;
  settings.target = only;
}

}  // namespace

Recordings read_ts_recordings(const std::string& path, SeriesSettings& settings, Targets targets) {
  refuse_table_settings(path, settings, "the columns of a .ts file are dim_0, dim_1, ...");
  Recordings read = read_ts(path);
  if (!read.target_columns.empty())
    settle_task(path, settings, read.target_columns[0]);
  else if (targets == Targets::needed)
    throw FormatError("data", fmt::format("{} says neither @classLabel true nor @targetLabel true; "
                                          "training needs the classes or targets of the series",
                                          path));
  choose_columns(path, settings, read);
  return read;
}

}  // namespace unroll::data
