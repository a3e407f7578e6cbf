// The commands that make sense after a run.
#pragma once

#include <string>
#include <vector>

#include "report/run_record.h"

namespace unroll::report {

struct RunCommand {
  std::string purpose;  ///< "Verify its bits"
  std::string command;  ///< for a shell
};

/// The commands for a run: repeat, verify, test, predict, export; or go on. `model` is null while
/// the run is training.
std::vector<RunCommand> commands_for(const RunRecord& run, const TrainedModel* model);

}  // namespace unroll::report
