// Which rows of a table are a series, and in which order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/recordings.h"
#include "data/table_roles.h"
#include "unroll/data/table.h"

namespace unroll::data {

/// The rows of a table, series after series in the order of their first rows.
struct TableRows {
  std::vector<std::uint32_t> order;   ///< numbers of rows
  std::vector<std::int64_t> lengths;  ///< rows of each series
  std::vector<std::string> names;     ///< of each series
};

/// Puts the rows of each series together: those with the same text in the column of series, or
/// those between two empty lines, or all. Sorts them by time; what that changed goes to `notes`.
/// Throws FormatError for equal times in a series, and for a row without its series or time.
TableRows rows_of_series(const Table& table, const TableRoles& roles,
                         const SeriesSettings& settings, std::vector<std::string>& notes);

/// The first row of each series. Throws FormatError if other rows of a series have another value in
/// `column`; `why` says what the column is for.
std::vector<std::uint32_t> first_rows(const Table& table, const TableRows& rows,
                                      const TableColumn& column, std::string_view why);

}  // namespace unroll::data
