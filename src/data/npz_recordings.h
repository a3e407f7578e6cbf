// An archive of NumPy arrays as recordings.
#pragma once

#include <string>

#include "data/recordings.h"

namespace unroll::data {

/// Reads the arrays of an .npz file by `settings`, which become resolved.
///
/// - X (N, T) or (N, T, I), the series
/// - y (N), (N, 1) or (N, M), their classes or numbers; for labels (N, T)
/// - lengths (N), the steps of each series, if there is one; without it, a series ends before steps
///   at the end that are all NaN
/// - groups (N), if there is one: whole numbers
///
/// Or X_train, y_train, ... and the same for _val and _test. Throws as read_recordings().
Recordings read_npz_recordings(const std::string& path, SeriesSettings& settings, Targets targets);

}  // namespace unroll::data
