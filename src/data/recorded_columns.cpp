#include "data/recorded_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "core/list_text.h"
#include "core/printable.h"
#include "core/suggest.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

std::size_t index_of_column(const std::string& path, const std::vector<RecordedColumn>& columns,
                            const std::string& name) {
  const auto found = std::ranges::find(columns, name, &RecordedColumn::name);
  if (found != columns.end()) return static_cast<std::size_t>(found - columns.begin());
  std::vector<std::string_view> names;
  for (const RecordedColumn& column : columns) names.push_back(column.name);
  throw ValueError(
      "data", fmt::format("{} has no column {}{}; its columns are {} to {}", path, in_quotes(name),
                          did_you_mean(name, names), names.front(), names.back()));
}

/// Keeps the columns with these numbers, in this order.
void keep_columns(Recordings& read, const std::vector<std::size_t>& kept) {
  const std::size_t width = read.columns.size(), rows = read.values.size() / width;
  std::vector<float> values;
  values.reserve(rows * kept.size());
  for (std::size_t row = 0; row < rows; ++row)
    for (const std::size_t column : kept) values.push_back(read.values[row * width + column]);
  std::vector<RecordedColumn> columns;
  for (const std::size_t column : kept) columns.push_back(read.columns[column]);
  read.values = std::move(values);
  read.columns = std::move(columns);
}

}  // namespace

void choose_columns(const std::string& path, SeriesSettings& settings, Recordings& read) {
  std::vector<std::size_t> ignored, kept;
  for (const std::string& name : settings.ignore)
    ignored.push_back(index_of_column(path, read.columns, name));
  for (const std::string& name : settings.features) {
    const std::size_t column = index_of_column(path, read.columns, name);
    if (std::ranges::find(ignored, column) != ignored.end())
      throw ValueError("data", fmt::format("column {} is in --features and in --ignore; leave it "
                                           "out of one of them",
                                           in_quotes(name)));
    if (std::ranges::find(kept, column) != kept.end())
      throw ValueError(
          "data", fmt::format("column {} is in --features twice; leave one out", in_quotes(name)));
    kept.push_back(column);
  }
  for (std::size_t i = 0; i < read.columns.size() && settings.features.empty(); ++i)
    if (std::ranges::find(ignored, i) == ignored.end()) kept.push_back(i);
  if (kept.empty())
    throw ValueError("data", fmt::format("{}: --ignore leaves no column to read", path));
  if (kept.size() != read.columns.size()) {
    ListText left_out;
    for (std::size_t i = 0; i < read.columns.size(); ++i)
      if (std::ranges::find(kept, i) == kept.end()) left_out.add(printable(read.columns[i].name));
    read.notes.push_back(fmt::format("{}: not read: {}", path, left_out.text()));
  }
  if (kept.size() != read.columns.size() || !std::ranges::is_sorted(kept)) keep_columns(read, kept);
  settings.features.clear();
  for (const RecordedColumn& column : read.columns) settings.features.push_back(column.name);
}

void refuse_table_settings(const std::string& path, const SeriesSettings& s,
                           std::string_view columns) {
  const std::pair<std::string_view, bool> given[] = {
      {"--series", !s.series.empty()},
      {"--time", !s.time.empty()},
      {"--time-format", !s.time_format.empty()},
      {"--group", !s.group.empty()},
      {"--words", !s.words.empty()},
      {"--wide", s.wide},
      {"--separator", !s.separator.empty()},
      {"--decimal", !s.decimal.empty()},
      {"--no-header", s.no_header},
      {"--validate column:", s.validate.starts_with("column:")},
      {"--test column:", s.test.starts_with("column:")},
  };
  for (const auto& [flag, is_there] : given)
    if (is_there)
      throw ValueError("data",
                       fmt::format("{}: {} is for tables; {}; leave it out", path, flag, columns));
}

}  // namespace unroll::data
