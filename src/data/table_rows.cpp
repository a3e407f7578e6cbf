#include "data/table_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <numeric>
#include <string_view>

#include "data/table_faults.h"
#include "data/times.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

/// The text of a value, for messages.
std::string shown_at(const TableColumn& column, std::size_t row) {
  if (!column.is_text) return fmt::format("{}", column.numbers[row]);
  const std::int32_t code = column.codes[row];
  return code < 0 ? "missing" : shown_value(column.texts[static_cast<std::size_t>(code)]);
}

/// Refuses a missing text.
void check_all_there(const Table& table, const TableColumn& column, std::string_view flag) {
  const auto missing = std::ranges::find(column.codes, -1);
  if (missing == column.codes.end()) return;
  const std::int64_t row = missing - column.codes.begin();
  throw FormatError("data", fmt::format("{}: {} is missing, but {} needs it in every row; complete "
                                        "or delete the line",
                                        table.place(row, column), shown_name(column.name), flag));
}

TableRows rows_by_column(const Table& table, const TableColumn& column) {
  check_all_there(table, column, "--series");
  TableRows rows;
  rows.names = column.texts;
  rows.lengths.assign(column.texts.size(), 0);
  for (const std::int32_t code : column.codes) ++rows.lengths[static_cast<std::size_t>(code)];
  std::vector<std::int64_t> next(rows.lengths.size());
  std::exclusive_scan(rows.lengths.begin(), rows.lengths.end(), next.begin(), std::int64_t{0});
  rows.order.resize(column.codes.size());
  for (std::size_t row = 0; row < column.codes.size(); ++row)
    rows.order[static_cast<std::size_t>(next[static_cast<std::size_t>(column.codes[row])]++)] =
        static_cast<std::uint32_t>(row);
  return rows;
}

/// Series in the order of the file, each up to one of the rows `ends`.
TableRows rows_in_order(std::int64_t count, const std::vector<std::int64_t>& ends) {
  TableRows rows;
  std::int64_t first = 0;
  const auto end_at = [&](std::int64_t end) {
    if (end == first) return;
    rows.lengths.push_back(end - first);
    rows.names.push_back(fmt::format("{}", rows.lengths.size()));
    first = end;
  };
  for (const std::int64_t last : ends) end_at(last + 1);
  end_at(count);
  rows.order.resize(static_cast<std::size_t>(count));
  std::iota(rows.order.begin(), rows.order.end(), 0U);
  return rows;
}

[[noreturn]] void refuse_time(const Table& table, const TableColumn& column, std::size_t text,
                              std::string_view form) {
  const auto row =
      std::ranges::find(column.codes, static_cast<std::int32_t>(text)) - column.codes.begin();
  const std::string_view expected = form == "numbers" ? "a number, as in the rows before"
                                    : form == "ISO 8601"
                                        ? "a time such as 2014-07-01 12:30:00, or a number"
                                        : "a time in the form of --time-format";
  throw FormatError(
      "data", fmt::format("{}: {} is {}, expected {}; {}", table.place(row, column),
                          shown_name(column.name), shown_value(column.texts[text]), expected,
                          form == "--time-format" ? "correct it or the format"
                                                  : "correct it, or give --time-format, as in "
                                                    "%d/%m/%Y %H:%M"));
}

[[noreturn]] void refuse_equal_times(const Table& table, const TableColumn& column,
                                     const std::string& series, std::uint32_t a, std::uint32_t b) {
  throw FormatError(
      "data", fmt::format("{}: {} is {}, the same time as {} in line {} of series {}; give each "
                          "row its own time, in UTC if clocks were changed",
                          table.place(b, column), shown_name(column.name), shown_at(column, b),
                          shown_at(column, a), table.line_of(a), shown_value(series)));
}

/// Sorts the rows of each series by time.
void sort_by_time(const Table& table, const TableColumn& column, const SeriesSettings& settings,
                  TableRows& rows, std::vector<std::string>& notes) {
  check_all_there(table, column, "--time");
  if (const std::string fault = time_format_fault(settings.time_format); !fault.empty())
    throw ValueError("data", fmt::format("--time-format {}", fault));
  const TimeKeys times = time_keys(column.texts, settings.time_format);
  if (times.wrong) refuse_time(table, column, *times.wrong, times.form);
  const auto time_of = [&](std::uint32_t row) {
    return times.keys[static_cast<std::size_t>(column.codes[row])];
  };
  std::int64_t changed = 0;
  auto first = rows.order.begin();
  for (std::size_t k = 0; k < rows.lengths.size(); ++k) {
    const auto end = first + rows.lengths[k];
    if (!std::is_sorted(first, end, [&](auto a, auto b) { return time_of(a) < time_of(b); })) {
      ++changed;
      std::stable_sort(first, end, [&](auto a, auto b) { return time_of(a) < time_of(b); });
    }
    const auto equal =
        std::adjacent_find(first, end, [&](auto a, auto b) { return time_of(a) == time_of(b); });
    if (equal != end) refuse_equal_times(table, column, rows.names[k], *equal, *(equal + 1));
    first = end;
  }
  std::string note = fmt::format("time: {}, {}", shown_name(column.name), times.form);
  if (changed > 0)
    note += fmt::format("; the rows of {} of {} series were in another order and are sorted",
                        changed, rows.lengths.size());
  notes.push_back(std::move(note));
}

}  // namespace

TableRows rows_of_series(const Table& table, const TableRoles& roles,
                         const SeriesSettings& settings, std::vector<std::string>& notes) {
  TableRows rows =
      roles.series ? rows_by_column(table, *roles.series) : rows_in_order(table.rows, table.ends);
  if (roles.time) sort_by_time(table, *roles.time, settings, rows, notes);
  return rows;
}

std::vector<std::uint32_t> first_rows(const Table& table, const TableRows& rows,
                                      const TableColumn& column, std::string_view why) {
  const auto same = [&](std::uint32_t a, std::uint32_t b) {
    if (column.is_text) return column.codes[a] == column.codes[b];
    // Missing values are the same, too.
    return std::bit_cast<std::uint32_t>(column.numbers[a]) ==
           std::bit_cast<std::uint32_t>(column.numbers[b]);
  };
  std::vector<std::uint32_t> firsts;
  auto first = rows.order.begin();
  for (std::size_t k = 0; k < rows.lengths.size(); ++k) {
    const auto end = first + rows.lengths[k];
    const auto other =
        std::find_if(first, end, [&](std::uint32_t row) { return !same(*first, row); });
    if (other != end)
      throw FormatError("data",
                        fmt::format("{}: {} is {}, but {} in line {} of the same series {}; {}",
                                    table.place(*other, column), shown_name(column.name),
                                    shown_at(column, *other), shown_at(column, *first),
                                    table.line_of(*first), shown_value(rows.names[k]), why));
    firsts.push_back(*first);
    first = end;
  }
  return firsts;
}

}  // namespace unroll::data
