#include "data/table_recordings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "core/list_text.h"
#include "data/table_faults.h"
#include "data/table_head.h"
#include "data/table_roles.h"
#include "data/table_rows.h"
#include "unroll/core/error.h"
#include "unroll/data/table.h"

namespace unroll::data {
namespace {

constexpr float kMissingNumber = std::numeric_limits<float>::quiet_NaN();

/// Checks what can be checked before the file is read.
void check_table_settings(const std::string& path, const SeriesSettings& s, Targets targets) {
  const auto fail = [&](std::string_view what) {
    throw ValueError("data", fmt::format("{}: {}", path, what));
  };
  if (s.task == Task::automatic)
    fail(
        "--task is missing, and a table doesn't say what to learn; give classify (a class for each "
        "series), regress (numbers) or label (a class at every step)");
  if (s.wide) {
    if (s.task == Task::label)
      fail(
          "--wide has one class a row, but --task label needs one at every step; write a row for "
          "each step");
    if (!s.time.empty()) fail("--time has no meaning with --wide, where columns are the steps");
    if (!s.words.empty()) fail("--words has no meaning with --wide; write a row for each word");
  } else if (s.task != Task::label && s.series.empty() && targets == Targets::needed) {
    fail(
        "--series is missing: which rows belong together? Give the column that says it, or --wide "
        "if every row is a series");
  }
}

std::vector<std::string> text_columns_of(const Recordings* first) {
  std::vector<std::string> names;
  if (!first) return names;
  for (const RecordedColumn& column : first->columns)
    if (column.is_text()) names.push_back(column.name);
  return names;
}

/// Refuses texts where numbers are needed.
void check_numbers(const Table& table, const TableColumn& column, std::string_view why) {
  if (!column.is_text) return;
  if (const std::string fault = why_not_numbers(table, column); !fault.empty())
    throw FormatError("data", fmt::format("{}{}", fault, why));
  throw FormatError("data", fmt::format("{}: {} has texts, expected numbers{}", table.path,
                                        shown_name(column.name), why));
}

float value_at(const TableColumn& column, std::size_t row) {
  if (!column.is_text) return column.numbers[row];
  const std::int32_t code = column.codes[row];
  return code < 0 ? kMissingNumber : static_cast<float>(code);
}

/// Refuses a column with more texts than f32 has whole numbers.
RecordedColumn recorded(const Table& table, const TableColumn& column) {
  if (column.texts.size() > most_texts)
    throw FormatError(
        "data", fmt::format("{}: {} has {} different texts, expected at most {}; leave "
                            "the column out with --ignore",
                            table.path, shown_name(column.name), column.texts.size(), most_texts));
  return {.name = column.name, .texts = column.texts};
}

/// Whether a column is an input or a target.
bool is_read(const SeriesSettings& settings, const std::string& column) {
  return std::ranges::find(settings.features, column) != settings.features.end() ||
         std::ranges::find(settings.target, column) != settings.target.end();
}

/// One row for each series.
TableRows rows_of_wide_table(const Table& table, const TableRoles& roles,
                             const SeriesSettings& settings, std::vector<std::string>& notes) {
  if (roles.series) {
    TableRows rows = rows_of_series(table, roles, settings, notes);
    const auto twice = std::ranges::find_if(rows.lengths, [](auto length) { return length > 1; });
    if (twice == rows.lengths.end()) return rows;
    const auto k = static_cast<std::size_t>(twice - rows.lengths.begin());
    throw FormatError(
        "data",
        fmt::format("{}: {} is {}, as in line {}; with --wide every row is a series "
                    "with its own name",
                    table.place(rows.order[k + 1], *roles.series), shown_name(roles.series->name),
                    shown_value(rows.names[k]), table.line_of(rows.order[k])));
  }
  TableRows rows;
  for (std::int64_t row = 0; row < table.rows; ++row) {
    rows.order.push_back(static_cast<std::uint32_t>(row));
    rows.names.push_back(fmt::format("{}", row + 1));
  }
  rows.lengths.assign(rows.order.size(), 1);
  return rows;
}

/// Makes recordings of a table whose columns have their roles.
class TableReading {
 public:
  TableReading(const Table& table, const SeriesSettings& settings, Targets targets)
      : table_(table), settings_(settings), roles_(table_roles(table, settings, targets)) {
    rows_ = settings.wide ? rows_of_wide_table(table, roles_, settings, result_.notes)
                          : rows_of_series(table, roles_, settings, result_.notes);
    result_.lengths = rows_.lengths;
    result_.names = rows_.names;
    result_.target_at_every_step = settings.task == Task::label;
  }

  Recordings read(Targets targets, const Recordings* first, const std::string& by) {
    if (roles_.words)
      read_words();
    else if (settings_.wide)
      read_wide();
    else
      read_features(first);
    read_targets(targets);
    if (roles_.group) read_groups();
    if (!roles_.parts.empty()) read_parts();
    if (!by.empty()) read_by(table_.column(by));
    return std::move(result_);
  }

 private:
  void read_words() {
    const TableColumn& words = *roles_.words;
    if (const auto missing = std::ranges::find(words.codes, -1); missing != words.codes.end())
      throw FormatError("data", fmt::format("{}: {} is empty, expected a word; complete or delete "
                                            "the line",
                                            table_.place(missing - words.codes.begin(), words),
                                            shown_name(words.name)));
    result_.columns = {recorded(table_, words)};
    result_.values = matrix({&words});
  }

  void read_features(const Recordings* first) {
    const std::vector<std::string> texts = text_columns_of(first);
    for (const TableColumn* column : roles_.features) {
      if (first && std::ranges::find(texts, column->name) == texts.end())
        check_numbers(table_, *column,
                      fmt::format("; in {} all are numbers", first->files[0].path));
      result_.columns.push_back(recorded(table_, *column));
    }
    result_.values = matrix(roles_.features);
  }

  /// Empty fields at the end of a row are the end of its series.
  void read_wide() {
    const std::vector<const TableColumn*>& steps = roles_.features;
    for (const TableColumn* column : steps) check_numbers(table_, *column, "");
    // Every column without a role is a step, so a surplus one shows here.
    if (!steps.empty())
      result_.notes.push_back(fmt::format("{}: steps are {} columns, {} to {}", table_.path,
                                          steps.size(), shown_name(steps.front()->name),
                                          shown_name(steps.back()->name)));
    result_.columns = {{.name = std::string(wide_column)}};
    for (std::size_t k = 0; k < rows_.order.size(); ++k) {
      const std::uint32_t row = rows_.order[k];
      std::size_t end = steps.size();
      while (end > 0 && std::isnan(steps[end - 1]->numbers[row])) --end;
      if (end == 0)
        throw FormatError("data",
                          fmt::format("{}:{}: the row has no values, expected one at least; "
                                      "delete the line",
                                      table_.path, table_.line_of(row)));
      for (std::size_t t = 0; t < end; ++t) result_.values.push_back(steps[t]->numbers[row]);
      result_.lengths[k] = static_cast<std::int64_t>(end);
    }
  }

  void read_targets(Targets needed) {
    const std::vector<const TableColumn*>& columns = roles_.targets;
    for (const TableColumn* column : columns) {
      if (settings_.task == Task::regress)
        check_numbers(table_, *column, "");
      else if (column->texts.empty())
        return refuse_empty_target(*column, needed);
    }
    for (const TableColumn* column : columns)
      result_.target_columns.push_back(recorded(table_, *column));
    if (settings_.task == Task::label) {
      result_.targets = matrix(columns);
      return;
    }
    const std::string why = fmt::format(
        "--task {} has one target for a series; correct it, or give "
        "--task label for a class at every step",
        name_of(settings_.task));
    const std::size_t width = columns.size();
    result_.targets.resize(width * rows_.lengths.size());
    for (std::size_t c = 0; c < width; ++c) {
      const std::vector<std::uint32_t> rows = first_rows(table_, rows_, *columns[c], why);
      for (std::size_t k = 0; k < rows.size(); ++k)
        result_.targets[k * width + c] = value_at(*columns[c], rows[k]);
    }
  }

  void refuse_empty_target(const TableColumn& column, Targets needed) const {
    if (needed == Targets::optional) return;
    throw FormatError("data", fmt::format("{}: {} has no class in any row; training needs them",
                                          table_.path, shown_name(column.name)));
  }

  void read_groups() {
    const TableColumn& column = *roles_.group;
    constexpr std::string_view kWhy = "a series can't be in two groups (--group)";
    for (const std::uint32_t row : first_rows(table_, rows_, column, kWhy)) {
      const std::int32_t code = column.codes[row];
      if (code < 0)
        throw FormatError("data", fmt::format("{}: {} is missing, but --group needs it for every "
                                              "series; complete the line",
                                              table_.place(row, column), shown_name(column.name)));
      result_.groups.push_back(column.texts[static_cast<std::size_t>(code)]);
    }
  }

  void read_by(const TableColumn& column) {
    constexpr std::string_view kWhy = "--by needs one value for a series; give another column";
    for (const std::uint32_t row : first_rows(table_, rows_, column, kWhy)) {
      const float value = value_at(column, row);
      result_.by.push_back(std::isnan(value) ? "(missing)"
                           : column.is_text  ? column.texts[static_cast<std::size_t>(value)]
                                             : fmt::format("{}", value));
    }
  }

  void read_parts() {
    result_.parts.assign(rows_.lengths.size(), std::nullopt);
    for (const auto& [part, column] : roles_.parts) {
      constexpr std::string_view kWhy = "all rows of a series must be in the same part";
      const auto code = std::ranges::find(column->texts, part.value) - column->texts.begin();
      const std::vector<std::uint32_t> rows = first_rows(table_, rows_, *column, kWhy);
      bool any = false;
      for (std::size_t k = 0; k < rows.size(); ++k) {
        if (column->codes[rows[k]] != code) continue;
        result_.parts[k] = part.part;
        any = true;
      }
      if (!any) refuse_part(part, *column);
    }
  }

  void refuse_part(const ColumnPart& part, const TableColumn& column) const {
    ListText texts;
    for (const std::string& text : column.texts) texts.add(shown_value(text));
    throw ValueError("data",
                     fmt::format("{}: {} is {}, but column {} has only {}", table_.path,
                                 part.part == Split::test ? "--test" : "--validate",
                                 shown_value(fmt::format("column:{}={}", part.name, part.value)),
                                 shown_name(column.name), texts.text()));
  }

  /// (rows, columns), in the order of the series.
  std::vector<float> matrix(const std::vector<const TableColumn*>& columns) const {
    const std::size_t width = columns.size();
    std::vector<float> values(width * rows_.order.size());
    for (std::size_t c = 0; c < width; ++c)
      for (std::size_t i = 0; i < rows_.order.size(); ++i)
        values[i * width + c] = value_at(*columns[c], rows_.order[i]);
    return values;
  }

  const Table& table_;
  const SeriesSettings& settings_;
  TableRoles roles_;
  TableRows rows_;
  Recordings result_;
};

}  // namespace

Recordings recordings_of(const Table& table, const SeriesSettings& settings, Targets targets,
                         const Recordings* first, const std::string& by) {
  return TableReading(table, settings, targets).read(targets, first, by);
}

Recordings read_table_recordings(const std::string& path, SeriesSettings& settings, Targets targets,
                                 const std::vector<std::string>& texts, const Recordings* first,
                                 const std::string& by) {
  // No setting helps an empty file.
  std::error_code ignored;
  if (std::filesystem::file_size(path, ignored) == 0 && !ignored) refuse_empty_table(path);
  check_table_settings(path, settings, targets);
  std::vector<std::string> all_texts = text_columns_of(first);
  all_texts.insert(all_texts.end(), texts.begin(), texts.end());
  SeriesSettings roles = settings;
  if (first)  // a column that names parts of the first file is no step of this one, either
    for (const ColumnPart& part : column_parts(first->settings)) {
      all_texts.push_back(part.name);
      roles.ignore.push_back(part.name);
    }
  TableOptions options = table_options(settings, all_texts, targets);
  if (!by.empty()) {
    // It is no step of a row, and has its texts as they are, unless the model reads its numbers.
    if (settings.wide) roles.ignore.push_back(by);
    std::erase(options.ignore, by);
    if (!is_read(settings, by)) options.text_columns.push_back(by);
  }
  const Table table = read_table(path, options);
  Recordings read = recordings_of(table, roles, targets, first, by);
  read.notes.insert(read.notes.begin(), fmt::format("{}: {} rows, separator {}{}", path, table.rows,
                                                    separator_name(table.separator),
                                                    table.header ? "" : ", no header"));
  settings.separator = table.separator == '\t' ? "tab" : std::string(1, table.separator);
  settings.decimal = std::string(1, table.decimal);
  settings.no_header = !table.header;
  if (targets == Targets::optional) {
    const auto has = [&](const std::string& name) {
      return std::ranges::find(table.columns, name, &TableColumn::name) != table.columns.end();
    };
    if (!has(settings.series)) settings.series.clear();
    if (!has(settings.time)) settings.time.clear();
  }
  settings.features.clear();
  if (settings.words.empty())
    for (const RecordedColumn& column : read.columns) settings.features.push_back(column.name);
  return read;
}

}  // namespace unroll::data
