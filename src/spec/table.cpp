#include "spec/table.h"

#include <cmath>
#include <utility>

#include "spec/limits.h"
#include "spec/ranges.h"

namespace unroll::spec {
namespace {

Json json_of(const ColumnSpec& column) {
  return object_of({{"name", column.name},
                    {"texts", column.texts},
                    {"marked", column.marked},
                    {"fill", column.fill}});
}

ColumnSpec column_from(const Json& column) {
  Reader json(column);
  ColumnSpec spec{.name = json.get<std::string>("name"),
                  .texts = json.get<std::vector<std::string>>("texts"),
                  .marked = json.get<bool>("marked"),
                  .fill = json.real("fill")};
  json.done();
  return spec;
}

}  // namespace

void check_table(const TableSpec& table, const InputSpec& input) {
  const Ranges ranges{"the table"};
  ranges.check("window", table.window, 0, kLongest);
  ranges.check("stride", table.stride, table.window > 0 ? 1 : 0, kLongest);
  if (std::holds_alternative<TokenInput>(input)) {
    if (table.words.empty() || !table.columns.empty())
      ranges.fail("the input is tokens, expected a column of words and no others");
    return;
  }
  const auto* series = std::get_if<SeriesInput>(&input);
  if (!series || !table.words.empty())
    ranges.fail("it needs a series as input, or tokens and a column of words");
  std::int64_t features = 0;
  for (const ColumnSpec& column : table.columns) {
    features += column.texts.empty() ? 1 : static_cast<std::int64_t>(column.texts.size());
    if (column.marked) ++features;
    if (!std::isfinite(static_cast<float>(column.fill)))
      ranges.fail(fmt::format("column {} is filled with {}, expected a finite number", column.name,
                              column.fill));
  }
  if (features != series->features)
    ranges.fail(fmt::format("its columns make {} features, but the input has {}", features,
                            series->features));
}

Json json_of(const TableSpec& table) {
  Json columns = Json::array();
  for (const ColumnSpec& column : table.columns) columns.push_back(json_of(column));
  Json json = object_of({{"columns", std::move(columns)},
                         {"words", table.words},
                         {"target", table.target},
                         {"series", table.series},
                         {"time", table.time},
                         {"time_format", table.time_format},
                         {"group", table.group},
                         {"wide", table.wide},
                         {"fills", table.fills},
                         {"previous", table.previous},
                         {"window", table.window},
                         {"stride", table.stride}});
  // Members of some tables only.
  if (table.decimal != '.') json["decimal"] = std::string(1, table.decimal);
  if (!table.header) json["header"] = false;
  if (!table.ignore.empty()) json["ignore"] = table.ignore;
  return json;
}

TableSpec table_from(const Json& value) {
  Reader json(value);
  TableSpec table;
  const Json& columns = json.at("columns");
  if (!columns.is_array()) fail("'columns' is not a list");
  for (const Json& column : columns) table.columns.push_back(column_from(column));
  table.words = json.get<std::string>("words");
  table.target = json.get<std::vector<std::string>>("target");
  table.series = json.get<std::string>("series");
  table.time = json.get<std::string>("time");
  table.time_format = json.get<std::string>("time_format");
  table.group = json.get<std::string>("group");
  table.wide = json.get<bool>("wide");
  table.fills = json.get<bool>("fills");
  table.previous = json.get<bool>("previous");
  table.window = json.whole("window");
  table.stride = json.whole("stride");
  if (json.has("decimal")) {
    const auto decimal = json.get<std::string>("decimal");
    if (decimal != "." && decimal != ",") fail("'decimal' is no point and no comma");
    table.decimal = decimal[0];
  }
  if (json.has("header")) table.header = json.get<bool>("header");
  if (json.has("ignore")) table.ignore = json.get<std::vector<std::string>>("ignore");
  json.done();
  return table;
}

}  // namespace unroll::spec
