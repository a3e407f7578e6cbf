// A table as recordings.
#pragma once

#include <string>
#include <vector>

#include "data/recordings.h"
#include "unroll/data/table.h"

namespace unroll::data {

/// Reads a CSV or TSV file by `settings`, which become resolved. `texts`: columns that are texts
/// even if all their values are numbers. `first`: the file read before it, whose columns of texts
/// are texts here, too; may be null. `by`: a column for Recordings::by, or empty. Throws as
/// read_recordings().
Recordings read_table_recordings(const std::string& path, SeriesSettings& settings, Targets targets,
                                 const std::vector<std::string>& texts, const Recordings* first,
                                 const std::string& by = {});

/// A table that was read with table_options() as recordings. `first` and `by` as above.
Recordings recordings_of(const Table& table, const SeriesSettings& settings, Targets targets,
                         const Recordings* first = nullptr, const std::string& by = {});

}  // namespace unroll::data
