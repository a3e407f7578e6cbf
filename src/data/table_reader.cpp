#include "data/table_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "core/machine_memory.h"
#include "core/printable.h"
#include "data/table_column.h"
#include "data/table_faults.h"
#include "data/table_head.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// Refuses a table that can't fit in memory before the system ends the program for it. Its values
/// have 4 bytes, and so has their copy in the order of the series.
void check_memory(const std::string& path, double rows, std::ptrdiff_t columns) {
  constexpr double kGigabyte = 1e9;
  const double needed = rows * static_cast<double>(columns) * (2 * sizeof(float)),
               memory = static_cast<double>(machine_memory());
  if (needed > memory)
    throw FormatError(
        "data", fmt::format("{} needs about {:.0f} GB for {:.0f} million rows of {} "
                            "columns, this machine has {:.0f} GB; leave columns out "
                            "with --ignore, or split the file",
                            path, needed / kGigabyte, rows / 1e6, columns, memory / kGigabyte));
}

/// One way through the whole table.
class Reading {
 public:
  Reading(ContentReader& content, const TableOptions& options, const TableHead& head,
          std::size_t block)
      : options_(options), texts_(head.texts), fields_(content, head.separator, block) {
    table_.path = content.path();
    table_.separator = head.separator;
    table_.decimal = options.decimal;
    table_.header = head.header;
    columns_.reserve(head.names.size());
    for (const std::string& name : head.names) add_column(name);
  }

  void run();

  /// Adds the columns of which some values turned out to be texts. True if there are any.
  bool found_texts(std::vector<bool>& texts) const;
  Table take();

 private:
  void add_column(const std::string& name);
  void grow(std::int64_t line);
  void after_empty_line(std::int64_t line, bool at_end);
  void read_row(std::int64_t line);
  void count_missing(std::int64_t values, std::int64_t line);
  void end_row(std::int64_t line);
  void check_text(const ColumnBuilder& builder, std::int64_t line) const;
  std::string wrong_number_of_fields(std::int64_t line, std::size_t found) const;

  const TableOptions& options_;
  const std::vector<bool> texts_;  // columns that are known to be texts
  FieldReader fields_;
  Table table_;
  std::vector<ColumnBuilder> columns_;
  std::int64_t missing_ = 0, given_ = 0;  // values that short rows lack, and all others
  RepeatedFault empty_lines_, numbers_of_fields_;
};

void Reading::add_column(const std::string& name) {
  const std::size_t index = columns_.size();
  const bool is_text = index < texts_.size() && texts_[index];
  ColumnBuilder& added = columns_.emplace_back();
  added.column.name = name;
  added.column.field = static_cast<std::int64_t>(index + 1);
  if (has(options_.ignore, name))
    added.kind = ColumnKind::ignored;
  else if (has(options_.word_columns, name))
    added.kind = ColumnKind::words;
  else if (is_text || has(options_.text_columns, name))
    added.kind = ColumnKind::texts;
  added.column.is_text = added.kind == ColumnKind::words || added.kind == ColumnKind::texts;
}

void Reading::run() {
  bool is_header = table_.header;
  std::int64_t empty_line = 0;  // the first empty line since the last row
  while (!fields_.at_end()) {
    const std::int64_t line = fields_.line();
    if (fields_.skip_empty_line()) {
      if (empty_line == 0) empty_line = line;
      continue;
    }
    if (empty_line != 0) after_empty_line(std::exchange(empty_line, 0), false);
    if (std::exchange(is_header, false))
      while (!fields_.next().last) {
      }
    else
      read_row(line);
  }
  if (empty_line != 0) after_empty_line(empty_line, true);
  const RepeatedFault& fault = numbers_of_fields_.empty() ? empty_lines_ : numbers_of_fields_;
  if (!fault.empty()) throw FormatError("data", fault.text());
  if (table_.rows == 0)
    throw FormatError("data", fmt::format("{} has no rows{}; is the file complete?", table_.path,
                                          table_.header ? " after its header" : ""));
}

void Reading::after_empty_line(std::int64_t line, bool at_end) {
  if (options_.empty_line_ends) {
    if (table_.rows > 0) table_.ends.push_back(table_.rows - 1);
  } else if (!at_end) {
    empty_lines_.add(line, [&] {
      return fmt::format("{}:{}: the line is empty, expected a row; delete it", table_.path, line);
    });
  }
}

void Reading::read_row(std::int64_t line) {
  const bool has_point = options_.decimal == '.';
  const bool may_grow = options_.ragged && !table_.header;
  std::size_t found = 0;
  for (bool last = false; !last; ++found) {
    if (found == columns_.size() && may_grow) grow(line);
    if (found >= columns_.size()) {
      last = fields_.next().last;
      continue;
    }
    ColumnBuilder& column = columns_[found];
    float number = 0;
    if (has_point && column.may_be_numbers() && fields_.next_number(number, last)) {
      column.add_number(number);
      continue;
    }
    const Field field = fields_.next();
    last = field.last;
    if (column.add(field.text, options_.decimal)) check_text(column, line);
  }
  given_ += static_cast<std::int64_t>(found);
  if (found < columns_.size() && options_.ragged) {
    count_missing(static_cast<std::int64_t>(columns_.size() - found), line);
    for (std::size_t i = found; i < columns_.size(); ++i) columns_[i].add_missing();
  } else if (found != columns_.size()) {
    numbers_of_fields_.add(line, [&] { return wrong_number_of_fields(line, found); });
  }
  end_row(line);
}

/// One more column, which all rows before this one lack.
void Reading::grow(std::int64_t line) {
  if (columns_.size() == most_table_columns)
    throw FormatError("data", fmt::format("{}:{}: the line has more than {} fields; is the "
                                          "separator right?",
                                          table_.path, line, most_table_columns));
  count_missing(table_.rows, line);
  add_column(std::to_string(columns_.size() + 1));
  for (std::int64_t row = 0; row < table_.rows; ++row) columns_.back().add_missing();
}

/// A short row costs as much memory as a long one. Limits what a small file can ask for.
void Reading::count_missing(std::int64_t values, std::int64_t line) {
  constexpr std::int64_t kFree = std::int64_t{1} << 20, kForEach = 8;
  missing_ += values;
  if (missing_ > kFree + kForEach * given_)
    throw FormatError("data",
                      fmt::format("{}:{}: up to this line the rows differ so much in length "
                                  "that {} values are missing and {} are there; write a "
                                  "row for each step instead",
                                  table_.path, line, missing_, given_));
}

std::string Reading::wrong_number_of_fields(std::int64_t line, std::size_t found) const {
  const std::size_t expected = columns_.size();
  return fmt::format(
      "{}:{}: the line has {} field{}, expected {} as in the first line, separated by {}; {}",
      table_.path, line, found, found == 1 ? "" : "s", expected, separator_name(table_.separator),
      found < expected ? "add the missing ones" : "put a text with a separator in it in quotes");
}

void Reading::end_row(std::int64_t line) {
  constexpr std::int64_t kMostRows = std::int64_t{1} << 31, kRowsToCheck = 1 << 16;
  if (table_.rows == kMostRows)
    throw FormatError("data", fmt::format("{}:{}: the file has more than {} rows; split it",
                                          table_.path, line, kMostRows));
  if (table_.rows == 0) table_.first_line = line;
  if (!table_.lines.empty() || line != table_.first_line + table_.rows) {
    for (auto row = static_cast<std::int64_t>(table_.lines.size()); row < table_.rows; ++row)
      table_.lines.push_back(table_.first_line + row);
    table_.lines.push_back(line);
  }
  ++table_.rows;
  // The size of a compressed table shows only while it is read.
  if (table_.rows % kRowsToCheck == 0)
    check_memory(table_.path, static_cast<double>(table_.rows),
                 std::ranges::count_if(columns_, [](const ColumnBuilder& builder) {
                   return builder.kind != ColumnKind::ignored;
                 }));
}

/// A text that no row before has.
void Reading::check_text(const ColumnBuilder& builder, std::int64_t line) const {
  const std::string& text = builder.column.texts.back();
  const auto refuse = [&](std::string_view fault) {
    throw FormatError("data",
                      fmt::format("{}:{}:{}: {} is {}, {}", table_.path, line, builder.column.field,
                                  shown_name(builder.column.name), shown_value(text), fault));
  };
  if (!is_utf8(text)) refuse("which is not UTF-8; convert the file: iconv -f LATIN1 -t UTF-8");
  if (text.find('\0') != text.npos) refuse("which has a zero byte; is the file damaged?");
  if (builder.kind == ColumnKind::words && text.find('\n') != text.npos)
    refuse("expected a word without line ends; write a quote that is a word as \"\"\"\"");
}

bool Reading::found_texts(std::vector<bool>& texts) const {
  bool found = false;
  texts.resize(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!columns_[i].is_wrong) continue;
    texts[i] = true;
    found = true;
  }
  return found;
}

Table Reading::take() {
  table_.columns.reserve(columns_.size());
  for (ColumnBuilder& builder : columns_)
    if (builder.kind != ColumnKind::ignored) table_.columns.push_back(std::move(builder.column));
  return std::move(table_);
}

/// Refuses a column whose values are all written as numbers, but some are too large for one.
void check_ranges(const Table& table, const TableOptions& options) {
  for (const TableColumn& column : table.columns) {
    if (!column.is_text || has(options.text_columns, column.name) ||
        has(options.word_columns, column.name))
      continue;
    const auto is_number = [&](const std::string& text) {
      const ValueKind kind = table_value(text, options.decimal).kind;
      return kind == ValueKind::number || kind == ValueKind::out_of_range;
    };
    if (std::ranges::all_of(column.texts, is_number))
      throw FormatError("data", why_not_numbers(table, column));
  }
}

void check_options(const std::string& path, const TableOptions& options) {
  const auto refuse = [&](std::string_view text) {
    throw ValueError("data", fmt::format("{}: {}", path, text));
  };
  constexpr std::string_view kNever = std::string_view("\0\n\r\"", 4);
  if (options.decimal != '.' && options.decimal != ',')
    refuse(
        fmt::format("the decimal mark is {}, expected . or ,", shown_value({&options.decimal, 1})));
  if (options.separator == 0) return;
  if (kNever.find(options.separator) != kNever.npos)
    refuse("a quote or a line end can't separate fields; give another --separator");
  constexpr std::string_view kInNumbers = "+-.";
  const char c = options.separator;
  if (c != options.decimal && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                               (c >= 'A' && c <= 'Z') || kInNumbers.find(c) != kInNumbers.npos))
    refuse(
        fmt::format("{} stands in numbers or names and can't separate fields; give another "
                    "--separator",
                    separator_name(c)));
  if (options.separator == options.decimal)
    refuse(fmt::format("{} can't be both the separator and the decimal mark; give another one",
                       separator_name(options.separator)));
}

/// A misspelt name would make a feature of the column.
void check_ignored(const std::string& path, const std::vector<std::string>& names,
                   const std::vector<std::string>& ignored) {
  for (const std::string& name : ignored)
    if (!has(names, name)) refuse_column(path, name, names);
}

/// Refuses a table of known size before it is read.
void check_memory(const ContentReader& content, const TableHead& head,
                  const TableOptions& options) {
  if (!content.size()) return;
  const auto columns = std::ranges::count_if(
      head.names, [&](const std::string& name) { return !has(options.ignore, name); });
  check_memory(content.path(), static_cast<double>(*content.size()) / head.row_bytes, columns);
}

}  // namespace

Table read_table(ContentReader& content, const TableOptions& options, std::size_t block) {
  check_options(content.path(), options);
  TableHead head = read_table_head(content, options);
  check_ignored(content.path(), head.names, options.ignore);
  check_memory(content, head, options);
  for (;;) {
    content.rewind();
    Reading reading(content, options, head, block);
    reading.run();
    // A column may be one of numbers for many rows, and one of texts in the end.
    if (reading.found_texts(head.texts)) continue;
    Table table = reading.take();
    check_ranges(table, options);
    return table;
  }
}

}  // namespace unroll::data
