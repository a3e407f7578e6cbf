// The commands that make sense after a run.
#pragma once

#include <string>
#include <vector>

#include "report/run_record.h"
#include "unroll/spec/model_spec.h"

namespace unroll::report {

struct RunCommand {
  std::string purpose;  ///< "verify its bits"
  std::string command;  ///< for a shell
};

/// Words of commands that read the data of a run: " mnist --data-dir data". Without --data-dir if
/// that folder is empty.
std::string data_words(const std::string& dataset, const std::string& data_dir);

/// `unroll eval`.
RunCommand eval_command(const std::string& folder, const std::string& dataset,
                        const std::string& data_dir = "");

/// `unroll predict` for a file of series; for the first test sample of other data, with --rows if
/// the model answers after every step.
RunCommand predict_command(const std::string& folder, const spec::ModelSpec& model,
                           const std::string& dataset, const std::string& data_dir = "");

/// `unroll export` into NAME.onnx and so on, for each format that can hold the model.
std::vector<RunCommand> export_commands(const std::string& folder, const spec::ModelSpec& model,
                                        const std::string& name);

/// The commands for a run: repeat, verify, test, predict, export; or go on. `model` is null while
/// the run is training.
std::vector<RunCommand> commands_for(const RunRecord& run, const TrainedModel* model);

}  // namespace unroll::report
