// unroll data info for a file of series.
#pragma once

#include "data/source.h"

namespace unroll::app {

/// Prints what a training would read from the file, what it would infer and how it would split it:
/// as lines, or as one line of JSON.
void print_series_info(const data::Source& source, bool json);

}  // namespace unroll::app
