// The columns of a table that have a role, by the settings.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/recordings.h"
#include "unroll/data/table.h"

namespace unroll::data {

/// The column of numbers of a table in which a row is a series.
inline constexpr std::string_view wide_column = "value";

/// "column:split=test": the rows whose column `name` has the text `value`.
struct ColumnPart {
  std::string name, value;
  Split part = Split::test;
};

/// Those of settings.test and settings.validate. Throws ValueError for one without a name.
std::vector<ColumnPart> column_parts(const SeriesSettings& settings);

/// How to read a table for these settings. `texts`: more columns that are texts.
TableOptions table_options(const SeriesSettings& settings, const std::vector<std::string>& texts,
                           Targets targets);

/// The columns of a table by their roles; null: none.
struct TableRoles {
  const TableColumn *series = nullptr, *time = nullptr, *group = nullptr, *words = nullptr;
  std::vector<const TableColumn*> targets, features;  ///< features in wide tables: the steps
  std::vector<std::pair<ColumnPart, const TableColumn*>> parts;
};

/// Throws ValueError that names the flag, for a role that is missing or taken twice, and for
/// columns that are not there. With Targets::optional a missing column has no role, except
/// features.
TableRoles table_roles(const Table& table, const SeriesSettings& settings, Targets targets);

}  // namespace unroll::data
