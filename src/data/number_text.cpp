#include "data/number_text.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace unroll::data {

NumberText number_of(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return {0, NumberFault::not_a_number};
  }
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (rest != end || (error != std::errc() && error != std::errc::result_out_of_range))
    return {0, NumberFault::not_a_number};
  // from_chars reads "inf" and "nan", too.
  const char last = text.back();
  const bool has_digit = (last >= '0' && last <= '9') || last == '.';
  if (!has_digit) return {0, NumberFault::not_a_number};
  // Out of range leaves the value; a negative exponent tells which end.
  if (error == std::errc::result_out_of_range) {
    const auto exponent = text.find_first_of("eE");
    const bool small = exponent != text.npos && text.substr(exponent + 1).starts_with('-');
    return {0, small ? NumberFault::too_small : NumberFault::too_large};
  }
  const auto rounded = static_cast<float>(value);
  if (std::isinf(rounded)) return {0, NumberFault::too_large};
  if (rounded == 0 && value != 0) return {0, NumberFault::too_small};
  return {rounded, NumberFault::none};
}

std::string_view expected_number(NumberFault fault) {
  switch (fault) {
    case NumberFault::too_large:
      return "a number of at most 3.4e38";
    case NumberFault::too_small:
      return "0 or a number of at least 1.4e-45";
    default:
      return "a number";
  }
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

}  // namespace unroll::data
