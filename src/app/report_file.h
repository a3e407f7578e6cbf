// Writes reports of runs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "app/progress.h"

namespace unroll::app {

/// Where a report goes if no file is named: beside the folder of one run (runs/NAME.html), or
/// report.html here. Throws ValueError if a file is there that is no report.
std::string default_report(const std::vector<std::string>& runs);

/// Whether there is a file, and it is a report.
bool is_report(const std::string& path);

/// The report of one run or several, as HTML. Tells what is left out because it can't be read: of
/// several runs a whole one, of each the model or the samples. Throws the error if no run is left.
std::string make_report(const std::vector<std::string>& runs);

/// Writes the report of a run that has ended, and says where it is. A fault is only told: the run
/// is whole. Returns the exit code.
int report_run(const std::string& run, Output output);

}  // namespace unroll::app
