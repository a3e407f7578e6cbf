// Encodes a table line by line, for a trained model that answers while the lines come.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "data/recordings.h"
#include "unroll/data/table.h"
#include "unroll/spec/model_spec.h"

namespace unroll::data {

/// Gives the numbers that series_source() gives for the whole table, if the lines of a series are
/// together and in their order. Columns are found by name. A field can't contain a line end.
class LineEncoder {
 public:
  /// `settings`: those of settings_for(model), and the form of the table. `name`: of the table, for
  /// messages.
  LineEncoder(const spec::ModelSpec& model, SeriesSettings settings, std::string name);

  /// Whether the first line has the names of the columns. Else it is a row.
  bool has_header() const { return !options_.no_header; }
  /// The first line, with has_header().
  void set_header(std::string_view line);
  /// Whether an empty line ends a series.
  bool empty_line_ends() const { return options_.empty_line_ends; }
  /// Whether a line is a whole series.
  bool is_wide() const { return settings_.wide; }

  /// Writes the features of a line, (steps, I), to `to`; without --wide there is one step.
  /// `number`: of the line, for messages. Throws FormatError and ValueError.
  template <class T>
  void encode(std::string_view line, std::int64_t number, std::vector<T>& to);
  /// The series of the last line.
  const std::string& series() const { return series_; }
  /// Whether the last line is the first one of its series.
  bool starts_series() const { return starts_; }
  /// The next line belongs to another series.
  void end_series() { in_series_ = false; }

 private:
  Recordings read(std::string_view line, std::int64_t number);
  void put_last_value_before(Recordings& line);

  std::string name_, header_;
  spec::ModelSpec model_;  // without a vocabulary
  SeriesSettings settings_;
  TableOptions options_;
  std::unordered_map<std::string, std::int64_t> tokens_;
  bool in_series_ = false, starts_ = false;
  std::int64_t count_ = 0;  // series so far
  std::string series_;
  /// Of each column of the table: the last value of the series that was not missing.
  std::vector<std::variant<float, std::string>> last_;
};

}  // namespace unroll::data
