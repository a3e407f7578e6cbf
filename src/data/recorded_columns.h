// The columns of a file that a model reads.
#pragma once

#include <string>
#include <string_view>

#include "data/recordings.h"

namespace unroll::data {

/// Keeps the columns of settings.features in that order, or all without those of settings.ignore;
/// settings.features becomes the list of them. `path` is for errors. Throws ValueError for a name
/// that is no column.
void choose_columns(const std::string& path, SeriesSettings& settings, Recordings& read);

/// Refuses settings of tables for another file. `columns`: "the columns of a .ts file are ...".
void refuse_table_settings(const std::string& path, const SeriesSettings& settings,
                           std::string_view columns);

}  // namespace unroll::data
