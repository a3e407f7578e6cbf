#include "data/table_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <system_error>

namespace unroll::data {
namespace {

constexpr std::string_view kMissing[] = {"",     "NA",   "N/A",  "NaN", "nan",
                                         "null", "NULL", "None", "?",   "-"};
constexpr std::size_t kLongestMissing = 4;

TableValue number_of(std::string_view text) {
  double value = 0;
  const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || after != text.data() + text.size()) return {};
  const auto number = static_cast<float>(value);
  const bool underflows = number == 0 && value != 0;
  if (error != std::errc() || !std::isfinite(number) || underflows)
    return {ValueKind::out_of_range};
  return {ValueKind::number, number};
}

}  // namespace

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool is_missing(std::string_view text) {
  if (text.empty()) return true;
  text = without_blanks(text);
  return text.size() <= kLongestMissing && std::ranges::find(kMissing, text) != std::end(kMissing);
}

TableValue table_value(std::string_view text, char decimal) {
  if (is_missing(text)) return {ValueKind::missing};
  text = without_blanks(text);
  if (text == "TRUE" || text == "true") return {ValueKind::boolean, 1};
  if (text == "FALSE" || text == "false") return {ValueKind::boolean, 0};

  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  // from_chars takes "inf", "nan" and a sign behind the sign.
  const std::size_t sign = text.starts_with('-') ? 1 : 0;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (digits.size() <= sign || (!is_digit(digits[sign]) && digits[sign] != decimal)) return {};
  if (decimal == '.') return number_of(digits);
  if (digits.find('.') != digits.npos) return {};
  std::string with_point(digits);
  std::ranges::replace(with_point, decimal, '.');
  return number_of(with_point);
}

}  // namespace unroll::data
