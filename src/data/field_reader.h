// Cuts the text of a table into fields. Source: RFC 4180.
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "data/content_reader.h"

namespace unroll::data {

/// One field of a line.
struct Field {
  std::string_view text;  ///< without quotes; valid until the next field is read
  bool last = false;      ///< the last one of its line
};

/// Goes through all fields of a table, line by line. It keeps a block of the text and the field
/// that it stands in.
class FieldReader {
 public:
  static constexpr std::size_t usual_block = std::size_t{1} << 18;
  static constexpr std::size_t longest_field = std::size_t{1} << 20;

  /// Starts at the reader's position. `content` must outlive this. Reads up to `block` bytes at a
  /// time.
  FieldReader(ContentReader& content, char separator, std::size_t block = usual_block);

  /// Nothing follows. Ask at the start of a line.
  bool at_end() { return at_ == end_ && !fill(at_); }
  /// Skips a line without any character. Ask at the start of a line.
  bool skip_empty_line();
  /// The next field. Throws FormatError for a quote that is never closed, text behind a closing
  /// quote, and a field that is too long.
  Field next();
  /// Reads the next field if it is a plain number with '.' as its decimal point: "-1.5e3". If it
  /// returns false, it has read nothing, and next() reads the field.
  bool next_number(float& number, bool& last);

  /// The line, from 1, in which the next field starts.
  std::int64_t line() const { return line_; }

 private:
  bool fill(const char*& start);
  Field quoted();
  Field finish(std::string_view text, const char* delimiter);
  [[noreturn]] void refuse(std::int64_t line, std::string_view text) const;

  ContentReader& content_;
  char separator_;
  std::size_t most_, block_;  // bytes to read at a time: at most, and next
  std::vector<char> buffer_;
  const char* at_ = nullptr;   // the next character
  const char* end_ = nullptr;  // of what was read; a zero stands there
  bool ended_ = false;         // there is no more content
  bool line_is_open_ = false;  // the last character read is no line end
  std::int64_t line_ = 1, field_ = 1;
  std::string unescaped_;
};

inline bool FieldReader::next_number(float& number, bool& last) {
  // Up to 15 digits are an integer below 2^53, and the power of ten is a double, too: their
  // quotient is the nearest double, as std::from_chars would have it (Clinger 1990), at twice the
  // speed.
  constexpr double kPowers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  constexpr std::ptrdiff_t kMostDigits = 15;
  const char* p = at_;
  std::uint64_t integer = 0;  // may overflow where it is not used
  const auto read_digits = [&] {
    const char* const first = p;
    for (; *p >= '0' && *p <= '9'; ++p) integer = 10 * integer + static_cast<unsigned>(*p - '0');
    return p - first;
  };
  const bool negative = *p == '-';
  p += negative;
  std::ptrdiff_t digits = read_digits(), fraction = 0;
  if (*p == '.') {
    ++p;
    fraction = read_digits();
    digits += fraction;
  }
  double value = 0;
  if (digits > 0 && digits <= kMostDigits && *p != 'e' && *p != 'E') {
    value = static_cast<double>(integer) / kPowers[fraction];
    if (negative) value = -value;
  } else {
    const auto [after, error] = std::from_chars(at_, end_, value);
    if (error != std::errc()) return false;
    p = after;
  }
  last = *p == '\n';
  number = static_cast<float>(value);
  if ((!last && *p != separator_) || p == end_ || !std::isfinite(number)) return false;
  if (number == 0 && value != 0) return false;  // too small for a float
  at_ = p + 1;
  field_ = last ? 1 : field_ + 1;
  line_ += last;
  return true;
}

}  // namespace unroll::data
