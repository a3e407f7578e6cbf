// The texts of errors in tables.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::data {

/// A fault that a table may have in many lines. The message has the first one as a whole, and the
/// lines of a few more.
class RepeatedFault {
 public:
  static constexpr std::size_t most = 5;

  /// `text` makes the message of the first one.
  template <class F>
  void add(std::int64_t line, F&& text) {
    if (count_++ == 0) first_ = text();
    if (lines_.size() < most) lines_.push_back(line);
  }
  bool empty() const { return count_ == 0; }
  std::int64_t first_line() const { return lines_[0]; }
  /// "FIRST (also in lines 3, 8, 9, 10 and 20 more)"
  std::string text() const;

 private:
  std::string first_;
  std::vector<std::int64_t> lines_;
  std::int64_t count_ = 0;
};

/// A value of a table for messages: in quotes, cut at 40 bytes.
std::string shown_value(std::string_view value);
/// The name of a column for messages: as it is, if it is short.
std::string shown_name(std::string_view name);

/// Throws ValueError: a table with these columns has none of this name. It suggests one.
[[noreturn]] void refuse_column(const std::string& path, std::string_view name,
                                const std::vector<std::string>& names);

}  // namespace unroll::data
