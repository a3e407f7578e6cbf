// Chooses the parts of series: training, validation and test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/recordings.h"

namespace unroll::data {

/// The training series of data with a test file of its own, from which --validate auto takes a
/// validation part.
inline constexpr std::int64_t least_series_to_validate = 500;

/// Chooses the part of each series by settings.validate, test, split_seed, folds and fold. Resolves
/// `settings`.
///
/// What belongs together stays together. A unit is a group, or a series if there are no groups.
/// Units are sorted by the bytes of their names. Unit u draws the Philox word of (split_seed, u).
/// The units with the smallest words are the test part, the next ones the validation part. If each
/// unit has one class, every class gives its share. So the order of rows has no influence.
///
/// With folds, the same order is dealt round. Fold `fold` is the test part.
///
/// Throws ValueError for parts that are empty or overlap, and for a group in two parts.
std::vector<Split> choose_parts(const Recordings& recordings, SeriesSettings& settings);

/// A unit of data that may go to a part, with its random word.
struct UnitDraw {
  std::int64_t stratum = 0;  ///< each gives its share
  std::uint64_t word = 0;
};
/// The Philox word of (split_seed, unit).
std::uint64_t split_word(std::uint64_t split_seed, std::uint64_t unit);

/// The indices of round(share * n) of n units. Each stratum gives its share, by the smallest words;
/// what rounding leaves goes to the smallest words of all. A stratum keeps at least one unit.
std::vector<std::size_t> choose_share(std::span<const UnitDraw> units, double share);

/// The share that a value of --test or --validate says; nothing if it is no number. Throws
/// ValueError for a share outside its range, and for a percentage. `flag` is "test" or "validate".
std::optional<double> share_of(const char* flag, std::string_view text);

/// The names of the units of each series: its group or its name.
std::span<const std::string> unit_names(const Recordings& recordings);

}  // namespace unroll::data
