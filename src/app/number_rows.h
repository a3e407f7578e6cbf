// Rows of numbers as text: a line of numbers each, separated by blanks or commas.
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

/// Reads rows one by one, so that each can be answered when it comes. Empty lines are passed over.
/// T is float or double.
template <class T>
class NumberRows {
 public:
  /// `source` names the place in errors: "on stdin", "in a.csv". A row has `expected` numbers, or
  /// any number where there is none.
  NumberRows(std::istream& stream, std::string source, std::optional<std::int64_t> expected)
      : stream_(stream), source_(std::move(source)), expected_(expected) {}

  /// The next row; false at the end. Throws FormatError for what is no finite number, another count
  /// than the expected one, and a line above 1 MB.
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
