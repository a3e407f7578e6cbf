#include "data/table_roles.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/list_text.h"
#include "core/printable.h"
#include "data/table_faults.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

constexpr std::string_view kColumnPart = "column:";

char separator_of(const std::string& setting) {
  if (setting.empty()) return 0;
  if (setting == "tab" || setting == "\\t") return '\t';
  if (setting.size() == 1) return setting[0];
  throw ValueError(
      "data", fmt::format("--separator is {}, expected one character, or tab", in_quotes(setting)));
}

char decimal_of(const std::string& setting) {
  if (setting.empty() || setting == ".") return '.';
  if (setting == ",") return ',';
  throw ValueError("data", fmt::format("--decimal is {}, expected . or ,", in_quotes(setting)));
}

/// Finds columns by name, and remembers what each is for.
class RoleFinder {
 public:
  RoleFinder(const Table& table, Targets targets) : table_(table), targets_(targets) {}

  const TableColumn* optional_column(std::string_view flag, const std::string& name) {
    if (name.empty() || (targets_ == Targets::optional && !has(name))) return nullptr;
    return take(flag, name);
  }

  const TableColumn* take(std::string_view flag, const std::string& name) {
    const TableColumn* const column = &table_.column(name);
    const auto found = std::ranges::find(taken_, column, &Taken::column);
    if (found != taken_.end())
      throw ValueError("data", fmt::format("column {} is in {} and in {}, expected one of them",
                                           shown_name(name), found->flag, flag));
    taken_.push_back({column, flag});
    return column;
  }

  bool is_taken(const TableColumn& column) const {
    return std::ranges::find(taken_, &column, &Taken::column) != taken_.end();
  }
  bool has(const std::string& name) const {
    return std::ranges::find(table_.columns, name, &TableColumn::name) != table_.columns.end();
  }

 private:
  struct Taken {
    const TableColumn* column = nullptr;
    std::string_view flag;
  };
  const Table& table_;
  Targets targets_;
  std::vector<Taken> taken_;
};

std::string names_of_columns(const Table& table) {
  ListText list;
  for (const TableColumn& column : table.columns) list.add(shown_name(column.name));
  return list.text();
}

void find_targets(const Table& table, const SeriesSettings& settings, Targets needed,
                  RoleFinder& finder, TableRoles& roles) {
  if (settings.target.empty()) {
    if (needed == Targets::optional) return;
    throw ValueError("data", fmt::format("--target is missing; give the column to predict: one of "
                                         "{}",
                                         names_of_columns(table)));
  }
  if (settings.task != Task::regress && settings.target.size() > 1)
    throw ValueError("data", fmt::format("--target has {} columns, expected one for --task {}",
                                         settings.target.size(), name_of(settings.task)));
  for (const std::string& name : settings.target)
    if (const TableColumn* column = finder.optional_column("--target", name))
      roles.targets.push_back(column);
  // All of them or none: part of the targets gives no results.
  if (roles.targets.size() != settings.target.size()) roles.targets.clear();
}

void find_features(const Table& table, const SeriesSettings& settings, RoleFinder& finder,
                   TableRoles& roles) {
  const std::vector<std::string> all_steps = {std::string(wide_column)};
  const bool every_step = settings.wide && settings.features == all_steps;
  if (settings.wide && !settings.features.empty() && !every_step)
    throw ValueError("data",
                     "--features has no meaning with --wide, where columns are steps; use "
                     "--ignore to leave columns out");
  if (!every_step && !settings.features.empty()) {
    for (const std::string& name : settings.features)
      roles.features.push_back(finder.take("--features", name));
    return;
  }
  const auto decides = [&](const TableColumn& column) {
    return std::ranges::any_of(roles.parts,
                               [&](const auto& part) { return part.second == &column; });
  };
  const auto is_ignored = [&](const TableColumn& column) {
    return std::ranges::find(settings.ignore, column.name) != settings.ignore.end();
  };
  for (const TableColumn& column : table.columns)
    if (!finder.is_taken(column) && !decides(column) && !is_ignored(column))
      roles.features.push_back(&column);
  // The order of columns in the file has no influence; that of steps has a meaning.
  if (!settings.wide) std::ranges::sort(roles.features, {}, &TableColumn::name);
  if (roles.features.empty())
    throw ValueError("data", fmt::format("{} has no column to read beside the target and those of "
                                         "flags; its columns are {}",
                                         table.path, names_of_columns(table)));
}

}  // namespace

std::vector<ColumnPart> column_parts(const SeriesSettings& settings) {
  std::vector<ColumnPart> parts;
  for (const auto& [flag, text, part] :
       {std::tuple("--validate", std::string_view(settings.validate), Split::validation),
        std::tuple("--test", std::string_view(settings.test), Split::test)}) {
    if (!text.starts_with(kColumnPart)) continue;
    const std::string_view rest = text.substr(kColumnPart.size());
    const auto equals = rest.find('=');
    if (equals == 0 || equals == rest.npos)
      throw ValueError("data", fmt::format("{} is {}, expected a column and its value, as in "
                                           "column:split=test",
                                           flag, in_quotes(text)));
    parts.push_back({.name = std::string(rest.substr(0, equals)),
                     .value = std::string(rest.substr(equals + 1)),
                     .part = part});
  }
  return parts;
}

TableOptions table_options(const SeriesSettings& settings, const std::vector<std::string>& texts,
                           Targets targets) {
  TableOptions options{.separator = separator_of(settings.separator),
                       .decimal = decimal_of(settings.decimal),
                       .no_header = settings.no_header,
                       .text_columns = texts,
                       .ignore = {}};
  // For a trained model they may be missing: then they are left out later.
  if (targets == Targets::needed) options.ignore = settings.ignore;
  for (const std::string& name : {settings.series, settings.time, settings.group})
    options.text_columns.push_back(name);
  for (const ColumnPart& part : column_parts(settings)) options.text_columns.push_back(part.name);
  if (settings.task != Task::regress)
    for (const std::string& name : settings.target) options.text_columns.push_back(name);
  if (!settings.words.empty()) options.word_columns = {settings.words};
  options.empty_line_ends = settings.task == Task::label && settings.series.empty();
  options.ragged = settings.wide;
  return options;
}

TableRoles table_roles(const Table& table, const SeriesSettings& settings, Targets targets) {
  RoleFinder finder(table, targets);
  TableRoles roles;
  find_targets(table, settings, targets, finder, roles);
  roles.series = finder.optional_column("--series", settings.series);
  roles.time = finder.optional_column("--time", settings.time);
  // A group for each series has its column twice.
  roles.group = !settings.group.empty() && settings.group == settings.series
                    ? roles.series
                    : finder.optional_column("--group", settings.group);
  for (ColumnPart& part : column_parts(settings)) {
    const TableColumn* const column = &table.column(part.name);
    roles.parts.emplace_back(std::move(part), column);
  }
  if (!settings.words.empty()) {
    if (!settings.features.empty())
      throw ValueError("data",
                       "--features and --words exclude each other: a model reads words or "
                       "numbers");
    roles.words = finder.take("--words", settings.words);
    return roles;
  }
  find_features(table, settings, finder, roles);
  return roles;
}

}  // namespace unroll::data
