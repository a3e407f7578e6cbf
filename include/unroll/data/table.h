// Tables of numbers and texts, read from CSV files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/core/api.h"

namespace unroll::data {

/// A column of a table. It has numbers, or texts.
struct TableColumn {
  std::string name;
  std::int64_t field = 1;  ///< its place in a line of the file, from 1
  bool is_text = false;
  std::vector<float> numbers;       ///< one for each row; NaN: missing
  std::vector<std::int32_t> codes;  ///< of texts: index into `texts`; -1: missing
  std::vector<std::string> texts;   ///< the different texts, in the order of their first row
};

/// A table in memory: 4 bytes a value.
struct Table {
  std::string path;
  std::int64_t rows = 0;
  std::vector<TableColumn> columns;
  std::vector<std::int64_t> lines;  ///< the line of each row; empty: row r is line first_line + r
  std::int64_t first_line = 1;
  char separator = ',';
  char decimal = '.';
  bool header = true;  ///< false: columns are called 1, 2, ...
  /// With TableOptions::empty_line_ends: the rows after which an empty line stands, ascending.
  std::vector<std::int64_t> ends;

  std::int64_t line_of(std::int64_t row) const {
    return lines.empty() ? first_line + row : lines[static_cast<std::size_t>(row)];
  }
  /// Where a value stands, for messages: "readings.csv:1042:7", the file, line and field.
  UNROLL_API std::string place(std::int64_t row, const TableColumn& column) const;
  /// The column with this name. Throws ValueError that lists the columns and suggests one.
  UNROLL_API const TableColumn& column(std::string_view name) const;
};

struct TableOptions {
  char separator = 0;      ///< 0: the one of , ; tab | that suits the first 100 lines
  char decimal = '.';      ///< of numbers
  bool no_header = false;  ///< the first line is data
  /// Columns that are text even if all their values are numbers. A name that is no column is
  /// ignored.
  std::vector<std::string> text_columns = {};
  /// Text columns in which NA, null, ? and - are words: only an empty field is missing.
  std::vector<std::string> word_columns = {};
  /// Columns to leave out: they are not stored.
  std::vector<std::string> ignore = {};
  bool empty_line_ends = false;  ///< an empty line ends a sequence (CoNLL); else it is an error
  /// Rows may be shorter than the first; the rest is missing. Without a header they may be longer,
  /// too.
  bool ragged = false;
};

/// Reads a CSV or TSV file, also as .gz. docs/your_data.md has the rules of the format. Source: RFC
/// 4180. Throws FileError; FormatError that names the file, line and field, what is there, what
/// was expected and the remedy.
UNROLL_API Table read_table(const std::string& path, const TableOptions& options = {});

/// Why a column of texts is no column of numbers. It names the first value that is no number:
/// "readings.csv:1042:7: Temperature is "12,5", expected a number; write 12.5, or give --decimal ,
/// (also lines 1043 and 1050)". Empty if every text is a number.
UNROLL_API std::string why_not_numbers(const Table& table, const TableColumn& column);

}  // namespace unroll::data
