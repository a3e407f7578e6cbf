#include "data/times.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <iterator>
#include <limits>
#include <system_error>

namespace unroll::data {
namespace {

constexpr std::int64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr std::int64_t kNanoseconds = 1'000'000'000;

/// A date and a time of day in a zone.
struct Moment {
  std::int64_t year = 1970, month = 1, day = 1;
  std::int64_t day_of_year = 0;  // 0: month and day count
  std::int64_t hour = 0, minute = 0, second = 0, nanosecond = 0;
  std::int64_t east = 0;  // seconds that the zone is ahead of UTC
};

std::optional<std::int64_t> nanoseconds_of(const Moment& m) {
  using namespace std::chrono;
  constexpr std::int64_t kFirstYear = 1678, kLastYear = 2261;  // of 64 bits
  if (m.year < kFirstYear || m.year > kLastYear) return {};
  if (m.hour > 23 || m.minute > 59 || m.second > 59) return {};
  const year y(static_cast<int>(m.year));
  sys_days date;
  if (m.day_of_year > 0) {
    if (m.day_of_year > (y.is_leap() ? 366 : 365)) return {};
    date = sys_days(y / January / 1) + days(m.day_of_year - 1);
  } else {
    const year_month_day calendar =
        y / month(static_cast<unsigned>(m.month)) / day(static_cast<unsigned>(m.day));
    if (!calendar.ok()) return {};
    date = calendar;
  }
  const std::int64_t seconds = date.time_since_epoch().count() * kDay + m.hour * kHour +
                               m.minute * kMinute + m.second - m.east;
  return seconds * kNanoseconds + m.nanosecond;
}

/// Takes digits, signs and letters off the start of a text.
class Scan {
 public:
  explicit Scan(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// A number of `least` to `most` digits. False if there is none.
  bool digits(std::size_t least, std::size_t most, std::int64_t& value) {
    std::size_t count = 0;
    std::int64_t number = 0;
    while (count < most && count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9')
      number = 10 * number + (rest_[count++] - '0');
    if (count < least) return false;
    value = number;
    rest_.remove_prefix(count);
    return true;
  }

  /// Digits behind the point of a second. Digits behind the ninth do not count.
  bool fraction(std::int64_t& nanoseconds) {
    std::int64_t digit = 0, unit = kNanoseconds / 10;
    if (!digits(1, 1, digit)) return false;
    nanoseconds = 0;
    do {
      nanoseconds += unit * digit;
      unit /= 10;
    } while (digits(1, 1, digit));
    return true;
  }

  /// "Z", "+10:00", "+1000" or "+10".
  bool zone(std::int64_t& east) {
    if (take('Z') || take('z')) return true;
    const bool west = rest_.starts_with('-');
    if (!west && !rest_.starts_with('+')) return false;
    rest_.remove_prefix(1);
    std::int64_t hours = 0, minutes = 0;
    if (!digits(2, 2, hours)) return false;
    const bool colon = take(':');
    if (!digits(2, 2, minutes) && colon) return false;
    if (hours > 14 || minutes > 59) return false;
    east = (west ? -1 : 1) * (hours * kHour + minutes * kMinute);
    return true;
  }

  void blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }

  /// One of `words`, by its first three letters in any case.
  bool word(std::span<const std::string_view> words, std::int64_t& number) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    const auto found = std::ranges::find_if(words, [&](std::string_view word) {
      return std::ranges::equal(rest_.substr(0, word.size()), word, {}, lower);
    });
    if (found == words.end()) return false;
    number = found - words.begin();
    rest_.remove_prefix(found->size());
    return true;
  }

 private:
  std::string_view rest_;
};

constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                        "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kHalves[] = {"am", "pm"};
constexpr std::string_view kDirectives = "YymbdjHIpMSfz%";

/// What a format reads, beside the moment itself.
struct Formatted {
  Moment moment;
  std::int64_t half = -1;  // 0: am, 1: pm
  bool twelve_hours = false;
};

bool read_directive(char directive, Scan& text, Formatted& to) {
  Moment& m = to.moment;
  switch (directive) {
    case 'Y':
      return text.digits(4, 4, m.year);
    case 'y':
      if (!text.digits(2, 2, m.year)) return false;
      m.year += m.year < 69 ? 2000 : 1900;  // POSIX
      return true;
    case 'm':
      return text.digits(1, 2, m.month);
    case 'b':
      if (!text.word(kMonths, m.month)) return false;
      ++m.month;
      return true;
    case 'd':
      return text.digits(1, 2, m.day);
    case 'j':
      return text.digits(1, 3, m.day_of_year) && m.day_of_year > 0;
    case 'H':
      return text.digits(1, 2, m.hour);
    case 'I':
      to.twelve_hours = true;
      return text.digits(1, 2, m.hour) && m.hour >= 1 && m.hour <= 12;
    case 'p':
      return text.word(kHalves, to.half);
    case 'M':
      return text.digits(1, 2, m.minute);
    case 'S':
      return text.digits(1, 2, m.second);
    case 'f':
      return text.fraction(m.nanosecond);
    case 'z':
      return text.zone(m.east);
    default:
      return text.take('%');
  }
}

/// A whole number, or a key of a number that is not: both are ordered as the numbers.
class NumberKeys {
 public:
  /// False if the text is no number.
  bool add(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    const char* const end = text.data() + text.size();
    std::int64_t whole = 0;
    double real = 0;
    if (const auto [rest, error] = std::from_chars(text.data(), end, whole);
        rest == end && error == std::errc()) {
      real = static_cast<double>(whole);
    } else {
      const auto [after, fault] = std::from_chars(text.data(), end, real);
      if (after != end || fault != std::errc() || !std::isfinite(real)) return false;
      all_whole_ = false;
    }
    whole_.push_back(whole);
    real_.push_back(real);
    return true;
  }

  std::vector<std::int64_t> keys() const {
    if (all_whole_) return whole_;
    std::vector<std::int64_t> keys;
    for (const double real : real_) {
      // The bits of positive doubles are ordered as the doubles; those of negative ones backwards.
      const auto bits = std::bit_cast<std::int64_t>(real == 0 ? 0.0 : real);
      keys.push_back(bits < 0 ? std::numeric_limits<std::int64_t>::min() - bits : bits);
    }
    return keys;
  }

 private:
  std::vector<std::int64_t> whole_;
  std::vector<double> real_;
  bool all_whole_ = true;
};

TimeKeys keys_of_numbers(std::span<const std::string> texts) {
  TimeKeys result{.form = "numbers", .keys = {}};
  NumberKeys numbers;
  for (std::size_t i = 0; i < texts.size() && !result.wrong; ++i)
    if (!numbers.add(texts[i])) result.wrong = i;
  if (!result.wrong) result.keys = numbers.keys();
  return result;
}

template <class F>
TimeKeys keys_by(std::string_view form, std::span<const std::string> texts, F&& time_of) {
  TimeKeys result{.form = form, .keys = {}};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::optional<std::int64_t> time = time_of(texts[i]);
    if (!time) {
      result.wrong = i;
      break;
    }
    result.keys.push_back(*time);
  }
  return result;
}

}  // namespace

std::optional<std::int64_t> iso_time(std::string_view text) {
  Scan scan(text);
  Moment m;
  if (!scan.digits(4, 4, m.year)) return {};
  if (scan.at_end()) return nanoseconds_of(m);
  if (!scan.take('-') || !scan.digits(2, 2, m.month)) return {};
  if (scan.at_end()) return nanoseconds_of(m);
  if (!scan.take('-') || !scan.digits(2, 2, m.day)) return {};
  if (scan.at_end()) return nanoseconds_of(m);
  if (!scan.take('T') && !scan.take(' ')) return {};
  if (!scan.digits(2, 2, m.hour) || !scan.take(':') || !scan.digits(2, 2, m.minute)) return {};
  if (scan.take(':')) {
    if (!scan.digits(2, 2, m.second)) return {};
    if (scan.take('.') && !scan.fraction(m.nanosecond)) return {};
  }
  if (!scan.at_end() && (!scan.zone(m.east) || !scan.at_end())) return {};
  return nanoseconds_of(m);
}

std::optional<std::int64_t> formatted_time(std::string_view text, std::string_view format) {
  Scan scan(text);
  Formatted read;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] == ' ') {
      scan.blanks();
    } else if (format[i] != '%') {
      if (!scan.take(format[i])) return {};
    } else if (++i == format.size() || !read_directive(format[i], scan, read)) {
      return {};
    }
  }
  if (!scan.at_end()) return {};
  Moment& m = read.moment;
  if (read.twelve_hours) m.hour = m.hour % 12 + (read.half == 1 ? 12 : 0);
  return nanoseconds_of(m);
}

std::string time_format_fault(std::string_view format) {
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') continue;
    if (++i == format.size()) return "ends with %; write %% for the character itself";
    if (kDirectives.find(format[i]) == kDirectives.npos)
      return fmt::format("has %{}, expected one of %Y %y %m %b %d %j %H %I %p %M %S %f %z %%",
                         format[i]);
  }
  return "";
}

TimeKeys time_keys(std::span<const std::string> texts, const std::string& format) {
  if (!format.empty())
    return keys_by("--time-format", texts,
                   [&](const std::string& text) { return formatted_time(text, format); });
  TimeKeys iso = keys_by("ISO 8601", texts, iso_time);
  if (!iso.wrong) return iso;
  TimeKeys numbers = keys_of_numbers(texts);
  return !numbers.wrong || *numbers.wrong > *iso.wrong ? numbers : iso;
}

}  // namespace unroll::data
