// .ts files, the format of the UCR, UEA and TSER archives of series.
#pragma once

#include <string>

#include "data/recordings.h"

namespace unroll::data {

/// The task that the header states: classify (@classLabel true) or regress (@targetLabel true).
/// Task::automatic if the series have no labels. Reads only the header. Throws as read_ts().
Task ts_task(const std::string& path);

/// Reads a .ts file, also as .gz: values, lengths, names of columns ("dim_0", ...) and series ("1",
/// ...), and the targets if there are any. What the header says is checked against the series.
/// Throws FileError, and FormatError that names the line. Source: aeon's page "The .ts file
/// format".
Recordings read_ts(const std::string& path);

}  // namespace unroll::data
