#include "app/run_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "app/usage_error.h"
#include "core/shell_word.h"
#include "report/run_record.h"
#include "run/file_names.h"
#include "run/provenance.h"
#include "train/describe.h"
#include "unroll/core/error.h"

namespace unroll::app {

std::shared_ptr<const data::Source> data_of_run(const LoadedModel& model, const DataFlags& data) {
  namespace fs = std::filesystem;
  const fs::path parent = fs::path(model.path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  std::error_code ignored;
  if (!fs::exists(parent / run::config_file, ignored))
    throw UsageError(fmt::format(
        "{} is not in the folder of its run; name a file of series: unroll eval {} FILE",
        model.path, shell_word(model.path)));
  const report::RunRecord run = report::read_run(folder);
  auto source =
      data.open(run.config.dataset, train::source_options(run.config, run.provenance.classes));
  if (const auto others = run::differences(run.provenance, run::provenance_of(*source));
      !others.empty())
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
