#include "app/number_rows.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "core/file.h"
#include "unroll/core/error.h"

namespace unroll::app {
namespace {

bool is_separator(char c) { return c == ' ' || c == ',' || c == '\t' || c == '\r'; }

}  // namespace

std::istringstream open_number_text(const std::string& path) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 30;
  return std::istringstream(read_text("predict", path, kMost));
}

/// The next line, or false at the end. Refuses a line before it fills the memory.
template <class T>
bool NumberRows<T>::read_line(std::string& line) {
  constexpr std::size_t kLongest = 1 << 20;
  line.clear();
  for (int c; (c = stream_.get()) != std::char_traits<char>::eof();) {
    if (c == '\n') return true;
    if (line.size() == kLongest)
      throw FormatError("predict",
                        fmt::format("row {} {} is longer than 1 MB", count_ + 1, source_));
    line += static_cast<char>(c);
  }
  return !line.empty();
}

template <class T>
bool NumberRows<T>::next(std::vector<T>& row) {
  do {
    if (!read_line(line_)) return false;
  } while (line_.find_first_not_of(" \t\r") == std::string::npos);
  ++count_;
  row.clear();
  const char* at = line_.data();
  const char* const end = at + line_.size();
  for (;;) {
    while (at != end && is_separator(*at)) ++at;
    if (at == end) break;
    T value = 0;
    const auto [after, error] = std::from_chars(at, end, value);
    if (error != std::errc() || (after != end && !is_separator(*after)) || !std::isfinite(value))
      throw FormatError("predict",
                        fmt::format("row {} {}: number {} is not a finite number; expected rows "
                                    "of numbers, separated by commas or blanks, without a header",
                                    count_, source_, row.size() + 1));
    row.push_back(value);
    at = after;
  }
  if (expected_ && static_cast<std::int64_t>(row.size()) != *expected_)
    throw FormatError("predict", fmt::format("row {} {} has {} numbers, the model reads {}", count_,
                                             source_, row.size(), *expected_));
  return true;
}

template class NumberRows<float>;
template class NumberRows<double>;

}  // namespace unroll::app
