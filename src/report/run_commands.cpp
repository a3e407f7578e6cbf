#include "report/run_commands.h"

#include <fmt/format.h>

#include "core/shell_word.h"
#include "data/source_traits.h"
#include "run/file_names.h"

namespace unroll::report {

std::vector<RunCommand> commands_for(const RunRecord& run, const TrainedModel* model) {
  using run::RunStatus;
  const std::string folder = shell_word(run.path);
  const std::string config = shell_word(run.path + "/" + run::config_file);
  const data::SourceTraits& data = data::source_traits(run.config.dataset);
  const std::string dataset = data.endless ? "" : " " + shell_word(run.config.dataset);
  std::vector<RunCommand> all;
  if (run.status == RunStatus::training || run.status == RunStatus::interrupted)
    all.push_back({"Go on with this run", "unroll train --resume " + folder});
  all.push_back({"Repeat this run", "unroll train --config " + config});
  all.push_back({"The same settings with another seed",
                 fmt::format("unroll train --config {} --seed {}", config, run.config.seed + 1)});
  if (!model) return all;
  all.push_back({"Verify its bits", "unroll verify " + folder});
  all.push_back({"Test the model", fmt::format("unroll eval {}{}", folder, dataset)});
  // The dataset argument of predict has no default.
  all.push_back(
      {"Look at one test sample",
       fmt::format("unroll predict {} {} --index 0{}", folder, shell_word(run.config.dataset),
                   spec::is_sequence(model->spec.input) ? " --rows" : "")});
  struct Format {
    const char *name, *flag, *ending;
  };
  for (const Format& format : {Format{"ONNX", "onnx", "onnx"}, Format{"C++", "cpp", "h"},
                               Format{"JavaScript", "js", "mjs"}})
    all.push_back({fmt::format("Take the model to {}", format.name),
                   fmt::format("unroll export {} --format {} -o {}", folder, format.flag,
                               shell_word(run.name + "." + format.ending))});
  return all;
}

}  // namespace unroll::report
