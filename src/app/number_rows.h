// Rows of numbers as text: one row a line, numbers separated by blanks or commas.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace unroll::app {

/// A text file of at most 1 GiB. Throws FileError.
std::istringstream open_number_text(const std::string& path);

/// Reads one row at a time, so that each gets its answer at once. Skips empty lines. T is float or
/// double.
template <class T>
class NumberRows {
 public:
  /// `source` names the place in errors: "on stdin", "in a.csv". `expected` is the length of a row;
  /// without it any length is fine.
  NumberRows(std::istream& stream, std::string source, std::optional<std::int64_t> expected)
      : stream_(stream), source_(std::move(source)), expected_(expected) {}

  /// The next row; false at the end. Throws FormatError for text that is not a finite number, a row
  /// of the wrong length, and a line above 1 MB.
  bool next(std::vector<T>& row);

  std::int64_t count() const { return count_; }  ///< the rows so far

 private:
  bool read_line(std::string& line);

  std::istream& stream_;
  std::string source_, line_;
  std::optional<std::int64_t> expected_;
  std::int64_t count_ = 0;
};

}  // namespace unroll::app
