#include "report/run_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "core/shell_word.h"
#include "data/source_traits.h"
#include "export/onnx_cell.h"
#include "run/file_names.h"
#include "unroll/core/error.h"

namespace unroll::report {
namespace {

/// Whether the model needs no later step for its output at a step.
bool streams(const spec::ModelSpec& model) {
  return spec::is_sequence(model.input) && spec::reads_ahead(model).empty();
}

/// Whether a stream of the model answers after every row or step of a sample.
bool answers_every_step(const spec::ModelSpec& model) {
  const auto* images = std::get_if<spec::ImageInput>(&model.input);
  return streams(model) && !(images && images->permutation);
}

bool can_be_onnx(const spec::ModelSpec& model) {
  try {
    for (const spec::LayerSpec& layer : model.layers)
      if (const auto* recurrent = std::get_if<spec::RecurrentSpec>(&layer))
        exporter::check_onnx_can_say(*recurrent);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::string data_words(const std::string& dataset, const std::string& data_dir) {
  std::string words = " " + shell_word(dataset);
  if (!data_dir.empty() && !data::source_traits(dataset).endless)
    words += " --data-dir " + shell_word(data_dir);
  return words;
}

RunCommand eval_command(const std::string& folder, const std::string& dataset,
                        const std::string& data_dir) {
  // The description of endless data is in the model. Of series, eval finds the test part alone; in
  // a file that it is given, all series are the test part.
  const data::SourceTraits& traits = data::source_traits(dataset);
  return {"scores of each class, or the errors",
          fmt::format("unroll eval {}{}", shell_word(folder),
                      traits.endless || traits.series ? "" : data_words(dataset, data_dir))};
}

RunCommand predict_command(const std::string& folder, const spec::ModelSpec& model,
                           const std::string& dataset, const std::string& data_dir) {
  if (data::source_traits(dataset).series)
    return {"a prediction for each series of a file",
            fmt::format("unroll predict {} {}", shell_word(folder), shell_word(dataset))};
  const bool steps = answers_every_step(model);
  return {steps ? "the first test sample, step by step" : "the first test sample",
          fmt::format("unroll predict {}{} --index 0{}", shell_word(folder),
                      data_words(dataset, data_dir), steps ? " --rows" : "")};
}

std::vector<RunCommand> export_commands(const std::string& folder, const spec::ModelSpec& model,
                                        const std::string& name) {
  struct Format {
    const char *name, *flag, *ending;
    bool holds_it;
  };
  std::vector<RunCommand> all;
  for (const Format& format :
       {Format{"other programs", "onnx", "onnx", can_be_onnx(model)},
        Format{"NumPy", "npz", "npz", !can_be_onnx(model)},
        Format{"C++", "cpp", "h", streams(model)}, Format{"JavaScript", "js", "mjs", true}})
    if (format.holds_it)
      all.push_back(
          {fmt::format("the model for {}", format.name),
           fmt::format("unroll export {} --format {} -o {}", shell_word(folder), format.flag,
                       shell_word(fmt::format("{}.{}", name, format.ending)))});
  return all;
}

std::vector<RunCommand> commands_for(const RunRecord& run, const TrainedModel* model) {
  using run::RunStatus;
  const std::string folder = shell_word(run.path);
  const std::string config = shell_word(run.path + "/" + run::config_file);
  std::vector<RunCommand> all;
  if (run.can_go_on()) all.push_back({"go on with this run", "unroll train --resume " + folder});
  all.push_back({"repeat this run", "unroll train --config " + config});
  all.push_back({"the same settings with another seed",
                 fmt::format("unroll train --config {} --seed {}", config, run.config.seed + 1)});
  if (!model) return all;
  all.push_back({"verify its bits", "unroll verify " + folder});
  all.push_back(eval_command(run.path, run.config.dataset));
  all.push_back(predict_command(run.path, model->spec, run.config.dataset));
  for (RunCommand& one : export_commands(run.path, model->spec, run.name))
    all.push_back(std::move(one));
  return all;
}

}  // namespace unroll::report
