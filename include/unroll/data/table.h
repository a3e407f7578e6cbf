// Tables of numbers, texts and times, read from CSV files.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/core/api.h"

namespace unroll::data {

/// A column of a table. It has numbers, or texts.
struct TableColumn {
  std::string name;
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
  bool header = true;  ///< false: columns are called 1, 2, ...
  /// With TableOptions::empty_line_ends: the rows after which an empty line stands, ascending.
  std::vector<std::int64_t> ends;

  std::int64_t line_of(std::int64_t row) const {
    return lines.empty() ? first_line + row : lines[static_cast<std::size_t>(row)];
  }
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
  /// Columns to leave out: they are not stored.
  std::vector<std::string> ignore = {};
  bool empty_line_ends = false;  ///< an empty line ends a sequence (CoNLL); else it is an error
  bool ragged = false;           ///< rows may be shorter than the first; the rest is missing
};

/// Reads a CSV or TSV file, also as .gz. docs/your_data.md has the rules of the format. Source: RFC
/// 4180. Throws FileError; FormatError that names the file, line and column, what is there, what
/// was expected and the remedy.
UNROLL_API Table read_table(const std::string& path, const TableOptions& options = {});

}  // namespace unroll::data
