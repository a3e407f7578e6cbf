#include "unroll/data/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "data/content_reader.h"
#include "data/table_faults.h"
#include "data/table_reader.h"
#include "data/table_value.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

bool is_number(std::string_view text, char decimal) {
  return table_value(text, decimal).kind == ValueKind::number;
}

/// A number with marks between its thousands, such as 1,234.5 or 1_234 or 1 234.
bool has_thousands(std::string_view text, char decimal) {
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_mark = std::string_view("_ ',.").find(text[i]) != std::string_view::npos;
    if (!is_mark || text[i] == decimal)
      digits += text[i];
    else if (i + 3 >= text.size() ||
             text.substr(i + 1, 3).find_first_not_of("0123456789") != std::string_view::npos)
      return false;
  }
  return digits.size() < text.size() && is_number(digits, decimal);
}

/// What was expected in place of a text, and the remedy.
std::string number_hint(std::string_view text, const Table& table) {
  const char decimal = table.decimal;
  if (table_value(text, decimal).kind == ValueKind::out_of_range)
    return "expected a number of at most 3.4e38 in size, and of at least 1e-45 if it is not 0; "
           "write a smaller one, or 0";
  const char other = decimal == '.' ? ',' : '.';
  if (std::ranges::count(text, other) == 1 && is_number(text, other)) {
    std::string right(without_blanks(text));
    std::ranges::replace(right, other, decimal);
    std::string hint = "expected a number; write " + right;
    if (other != table.separator) hint += std::string(", or give --decimal ") + other;
    return hint;
  }
  if (has_thousands(text, decimal))
    return "expected a number; write it without separators of thousands";
  constexpr std::string_view kInfinite[] = {"inf", "Inf", "INF", "infinity", "Infinity"};
  std::string_view word = without_blanks(text);
  if (word.starts_with('-') || word.starts_with('+')) word.remove_prefix(1);
  if (std::ranges::find(kInfinite, word) != std::end(kInfinite))
    return "expected a finite number; leave the field empty if it is missing";
  return "expected a number; correct it, or leave the field empty if it is missing";
}

}  // namespace

std::string Table::place(std::int64_t row, const TableColumn& column) const {
  return fmt::format("{}:{}:{}", path, line_of(row), column.field);
}

const TableColumn& Table::column(std::string_view name) const {
  const auto found = std::ranges::find(columns, name, &TableColumn::name);
  if (found != columns.end()) return *found;
  std::vector<std::string> names;
  for (const TableColumn& column : columns) names.push_back(column.name);
  refuse_column(path, name, names);
}

Table read_table(const std::string& path, const TableOptions& options) {
  ContentReader content(path);
  return read_table(content, options);
}

std::string why_not_numbers(const Table& table, const TableColumn& column) {
  std::vector<ValueKind> kinds;
  for (const std::string& text : column.texts)
    kinds.push_back(table_value(text, table.decimal).kind);
  // Booleans are numbers where no others are.
  const bool has_numbers = std::ranges::find(kinds, ValueKind::number) != kinds.end();
  const auto is_fine = [&](ValueKind kind) {
    return kind == ValueKind::number || kind == ValueKind::missing ||
           (kind == ValueKind::boolean && !has_numbers);
  };
  RepeatedFault fault;
  for (std::size_t row = 0; row < column.codes.size(); ++row) {
    const std::int32_t code = column.codes[row];
    if (code < 0 || is_fine(kinds[static_cast<std::size_t>(code)])) continue;
    const auto at = static_cast<std::int64_t>(row);
    const std::string& text = column.texts[static_cast<std::size_t>(code)];
    fault.add(table.line_of(at), [&] {
      return fmt::format("{}: {} is {}, {}", table.place(at, column), shown_name(column.name),
                         shown_value(text), number_hint(text, table));
    });
  }
  return fault.text();
}

}  // namespace unroll::data
