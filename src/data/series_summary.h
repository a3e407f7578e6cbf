// What people and config.json are told about series.
#pragma once

#include <string>
#include <vector>

#include "data/recordings.h"
#include "data/series_parts.h"
#include "data/source.h"

namespace unroll::data {

/// Raised whenever the same bytes of a file would give other numbers.
inline constexpr int reader_revision = 1;

/// A line for each part: its series, windows and steps.
std::string sizes_of(const Recordings& recordings, const SeriesParts& parts,
                     const spec::InputSpec& input);

/// What was inferred, a line each: the reader's notes, the columns, the target, the parts.
std::string inferred_of(const Recordings& recordings, const SeriesParts& parts,
                        const SeriesSettings& settings, const spec::InputSpec& input,
                        const std::optional<spec::TableSpec>& table, const TargetSpec& target);

/// A JSON object: the reader's revision, the files, counts and the hash of each part's units.
std::string facts_of(const Recordings& recordings, const SeriesParts& parts);

/// The number of test series that are in the training part too, value by value.
std::int64_t count_duplicates(const Recordings& recordings, std::span<const std::int64_t> starts,
                              const SeriesParts& parts);

/// The SHA-256 of the content of a part: columns, lengths, values, targets.
std::string hash_of(const Recordings& recordings, std::span<const std::int64_t> starts,
                    const SeriesPart& part);

}  // namespace unroll::data
