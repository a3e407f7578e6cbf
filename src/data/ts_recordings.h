// A .ts file as recordings.
#pragma once

#include <string>

#include "data/recordings.h"

namespace unroll::data {

/// Reads a .ts file by `settings`, which become resolved. Throws as read_recordings().
Recordings read_ts_recordings(const std::string& path, SeriesSettings& settings, Targets targets);

}  // namespace unroll::data
