// Times as texts of tables have them. They order the rows of a series.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::data {

/// Nanoseconds since 1970 in UTC, in the Gregorian calendar, for a text of ISO 8601: "2014",
/// "2014-07", "2014-07-01", "2014-07-01T00:30", "2014-07-01 00:30:05.25", with "Z" or "+10:00"
/// behind. Without a zone it is UTC. Nothing for other texts, and outside the years 1678 to 2261.
std::optional<std::int64_t> iso_time(std::string_view text);

/// The same for a text of this format: %Y %y %m %b %d %j %H %I %p %M %S %f %z and %%, as Python's
/// strptime has them. A blank stands for any number of blanks.
std::optional<std::int64_t> formatted_time(std::string_view text, std::string_view format);

/// What is wrong with a format; empty if nothing is.
std::string time_format_fault(std::string_view format);

/// The times of texts, as whole numbers that are ordered as the times.
struct TimeKeys {
  std::string_view form;                  ///< "ISO 8601", "numbers" or "--time-format"
  std::vector<std::int64_t> keys;         ///< of each text
  std::optional<std::size_t> wrong = {};  ///< the first text that is not of this form
};

/// The keys of `texts`. Without a format, the form is the one that fits to more texts from the
/// first on: ISO 8601 or numbers.
TimeKeys time_keys(std::span<const std::string> texts, const std::string& format);

}  // namespace unroll::data
