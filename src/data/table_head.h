// What the first lines of a table tell: its separator, its columns, and which of them are texts.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "data/content_reader.h"
#include "unroll/data/table.h"

namespace unroll::data {

inline constexpr std::size_t most_table_columns = 65'536;

struct TableHead {
  char separator = ',';
  bool header = true;
  std::vector<std::string> names;  ///< of all columns
  /// Columns of texts, as far as the first rows show it.
  std::vector<bool> texts;
  double row_bytes = 1;  ///< of a line, on average over the first megabyte
};

/// Reads the first megabyte of `content` from its position. Throws FormatError.
TableHead read_table_head(ContentReader& content, const TableOptions& options);

/// Throws the FormatError of a table without any content.
[[noreturn]] void refuse_empty_table(const std::string& path);

/// "comma", "semicolon", "tab" or "bar"; another separator in quotes.
std::string separator_name(char separator);

}  // namespace unroll::data
