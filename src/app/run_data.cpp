#include "app/run_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <utility>

#include "app/usage_error.h"
#include "core/shell_word.h"
#include "report/run_record.h"
#include "run/file_names.h"
#include "run/manifest.h"
#include "run/provenance.h"
#include "train/describe.h"
#include "unroll/core/error.h"

namespace unroll::app {

namespace {

std::string folder_of(const LoadedModel& model) {
  const std::filesystem::path parent = std::filesystem::path(model.path).parent_path();
  return parent.empty() ? "." : parent.string();
}

}  // namespace

std::optional<report::RunRecord> run_of(const LoadedModel& model) {
  const std::filesystem::path folder = folder_of(model);
  std::error_code ignored;
  // Other programs have a config.json, too.
  for (const char* file : {run::config_file, run::Manifest::file_name})
    if (!std::filesystem::exists(folder / file, ignored)) return {};
  return report::read_run(folder.string());
}

std::shared_ptr<const data::Source> data_of_run(const LoadedModel& model, const DataFlags& data,
                                                const std::string& by) {
  namespace fs = std::filesystem;
  const std::string folder = folder_of(model);
  std::error_code ignored;
  if (!fs::exists(fs::path(folder) / run::config_file, ignored))
    throw UsageError(fmt::format(
        "{} is not in the folder of its run; name a file of series: unroll eval {} FILE",
        model.path, shell_word(model.path)));
  const report::RunRecord run = report::read_run(folder);
  data::SourceOptions options = train::source_options(run.config, run.provenance.classes);
  options.by = by;
  auto source = data.open(run.config.dataset, std::move(options));
  train::Provenance now = run::provenance_of(*source);
  now.init_sha256 = run.provenance.init_sha256;  // a test does not need the model of --init-from
  if (const auto others = run::differences(run.provenance, now); !others.empty())
    throw FormatError("eval", fmt::format("the data of {} has changed: {}; name a file to test the "
                                          "model on it: unroll eval {} FILE",
                                          folder, fmt::join(others, "; "), shell_word(folder)));
  if (source->size(data::Split::test) == 0)
    throw UsageError(
        fmt::format("the run in {} has no test part; name a file of series: unroll "
                    "eval {} FILE",
                    folder, shell_word(folder)));
  return source;
}

}  // namespace unroll::app
