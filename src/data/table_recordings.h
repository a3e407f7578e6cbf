// A table as recordings.
#pragma once

#include <string>

#include "data/recordings.h"

namespace unroll::data {

/// Reads a CSV or TSV file by `settings`, which become resolved. `first`: the file read before it,
/// whose columns of texts are texts here, too; may be null. Throws as read_recordings().
Recordings read_table_recordings(const std::string& path, SeriesSettings& settings, Targets targets,
                                 const Recordings* first);

}  // namespace unroll::data
