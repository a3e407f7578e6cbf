#include "data/series_summary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "core/printable.h"
#include "data/sha256.h"
#include "data/split.h"
#include "unroll/data/sequence_tasks.h"

namespace unroll::data {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostListed = 20;

const char* part_noun(Split part) {
  return part == Split::train ? "train" : part == Split::test ? "test" : "validation";
}

/// "24" or "7 to 29"
std::string range_of(std::span<const std::int64_t> lengths) {
  const auto [least, most] = std::ranges::minmax(lengths);
  return least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most);
}

std::string listed(const std::vector<std::string>& items) {
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(items.size(), kMostListed); ++i)
    shown.push_back(printable(items[i]));
  std::string text = fmt::format("{}", fmt::join(shown, ", "));
  if (items.size() > kMostListed) text += fmt::format(", and {} more", items.size() - kMostListed);
  return text;
}

std::span<const float> values_of(const Recordings& r, std::span<const std::int64_t> starts,
                                 std::int64_t series) {
  const auto k = static_cast<std::size_t>(series);
  const std::size_t width = r.columns.size();
  return std::span(r.values).subspan(static_cast<std::size_t>(starts[k]) * width,
                                     static_cast<std::size_t>(r.lengths[k]) * width);
}

/// Training series of each class, or steps.
std::string classes_text(const Recordings& recordings, const SeriesPart& train,
                         const TargetSpec& target) {
  const std::vector<std::string>& texts = recordings.target_columns[0].texts;
  std::map<std::string_view, std::int64_t> counts;
  std::vector<bool> in_train(recordings.lengths.size());
  for (const std::int64_t k : train.series) in_train[static_cast<std::size_t>(k)] = true;
  std::size_t at = 0;
  for (std::size_t k = 0; k < recordings.lengths.size(); ++k) {
    const std::size_t steps =
        recordings.target_at_every_step ? static_cast<std::size_t>(recordings.lengths[k]) : 1;
    for (std::size_t t = 0; t < steps; ++t, ++at)
      if (const float value = recordings.targets[at]; in_train[k] && value == value)
        ++counts[texts[static_cast<std::size_t>(value)]];
  }
  std::vector<std::string> items;
  for (const std::string& name : target.names)
    items.push_back(fmt::format("{} ({})", name, counts[name]));
  return fmt::format("{} classes: {}; in brackets: training {}", target.size, listed(items),
                     recordings.target_at_every_step ? "steps" : "series");
}

std::string columns_text(const std::vector<spec::ColumnSpec>& columns) {
  std::vector<std::string> items;
  for (const spec::ColumnSpec& column : columns) {
    std::string item = column.name;
    if (!column.texts.empty())
      item += fmt::format(" ({} texts: {})", column.texts.size(), listed(column.texts));
    if (column.marked) item += " (with a mark where it is missing)";
    items.push_back(std::move(item));
  }
  return listed(items);
}

std::string parts_text(const Recordings& recordings, const SeriesSettings& settings) {
  std::string text = "parts: ";
  if (settings.folds > 0)
    text += fmt::format("fold {} of {} is the test part (from 0)", settings.fold, settings.folds);
  else
    text += fmt::format("test {}", printable(settings.test));
  text += fmt::format(", validation {}; split seed {}", printable(settings.validate),
                      settings.split_seed);
  if (!recordings.groups.empty())
    text += fmt::format(
        ", {} {} stay together",
        std::set<std::string_view>(recordings.groups.begin(), recordings.groups.end()).size(),
        settings.group.empty() ? "groups" : "groups of " + printable(settings.group));
  return text;
}

}  // namespace

std::string sizes_of(const Recordings& recordings, const SeriesParts& parts,
                     const spec::InputSpec& input) {
  std::string text;
  for (const Split which : all_parts) {
    const SeriesPart& part = part_of(parts, which);
    if (part.series.empty()) continue;
    text += fmt::format("{} {}: {} series", printable(recordings.name), part_noun(which),
                        part.series.size());
    if (!part.series_of.empty()) text += fmt::format(", {} windows", part.windows.size());
    text += fmt::format(" of {} steps", range_of(part.lengths));
    if (const auto* series = std::get_if<spec::SeriesInput>(&input))
      text += fmt::format(" of {} number{}", series->features, series->features == 1 ? "" : "s");
    else
      text += " of a word";
    text += "\n";
  }
  return text;
}

std::string inferred_of(const Recordings& recordings, const SeriesParts& parts,
                        const SeriesSettings& settings, const spec::InputSpec& input,
                        const std::optional<spec::TableSpec>& table, const TargetSpec& target) {
  std::string text;
  const auto line = [&](const std::string& content) { text += content + "\n"; };
  for (const std::string& note : recordings.notes) line(printable(note));
  line(fmt::format("task: {}", name_of(settings.task)));
  if (const auto* tokens = std::get_if<spec::TokenInput>(&input))
    line(fmt::format("words: {}, {} of them known: {}",
                     table ? printable(table->words) : std::string("column"), tokens->tokens - 1,
                     listed({tokens->vocabulary.begin() + 1, tokens->vocabulary.end()})));
  else if (table)
    line(fmt::format("inputs: {}", columns_text(table->columns)));
  std::vector<std::string> names;
  for (const RecordedColumn& column : recordings.target_columns) names.push_back(column.name);
  if (target.has_values())
    line(fmt::format("target: {}{}", listed(names), target.every_step() ? " at every step" : ""));
  else if (target.size > 0)
    line(fmt::format("target: {}, {}", listed(names),
                     classes_text(recordings, part_of(parts, Split::train), target)));
  line(parts_text(recordings, settings));
  return text;
}

std::string facts_of(const Recordings& recordings, const SeriesParts& parts) {
  Json facts = Json::object();
  facts["reader_revision"] = reader_revision;
  Json& files = facts["files"] = Json::array();
  for (const RecordedFile& file : recordings.files) {
    Json entry = Json::object();
    entry["role"] = file.role;
    entry["path"] = file.path;
    entry["bytes"] = file.bytes;
    entry["sha256"] = file.sha256;
    files.push_back(std::move(entry));
  }
  Json& split = facts["split"] = Json::object();
  const auto units = unit_names(recordings);
  for (const Split which : all_parts) {
    const SeriesPart& part = part_of(parts, which);
    if (part.series.empty()) continue;
    std::set<std::string_view> names;
    for (const std::int64_t k : part.series) names.insert(units[static_cast<std::size_t>(k)]);
    Sha256 hash;
    for (const std::string_view name : names) {
      hash.add(std::as_bytes(std::span(name)));
      hash.add(std::as_bytes(std::span("\n", 1)));
    }
    Json entry = Json::object();
    entry["series"] = part.series.size();
    entry["samples"] = part.windows.size();
    entry["steps"] = part.steps(recordings);
    entry["units_sha256"] = hash.digits();
    split[part_noun(which)] = std::move(entry);
  }
  return facts.dump();
}

std::int64_t count_duplicates(const Recordings& recordings, std::span<const std::int64_t> starts,
                              const SeriesParts& parts) {
  const auto bytes_of = [&](std::int64_t series) {
    const auto bytes = std::as_bytes(values_of(recordings, starts, series));
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  std::set<std::string_view> trained;
  for (const std::int64_t k : part_of(parts, Split::train).series) trained.insert(bytes_of(k));
  return std::ranges::count_if(part_of(parts, Split::test).series,
                               [&](std::int64_t k) { return trained.contains(bytes_of(k)); });
}

std::string hash_of(const Recordings& recordings, std::span<const std::int64_t> starts,
                    const SeriesPart& part) {
  Sha256 hash;
  const auto add_text = [&](std::string_view text) {
    const std::uint64_t size = text.size();
    hash.add(std::as_bytes(std::span(&size, 1)));
    hash.add(std::as_bytes(std::span(text)));
  };
  // Texts stand for their numbers, which depend on the order of rows.
  const auto add_rows = [&](std::span<const float> values,
                            const std::vector<RecordedColumn>& columns) {
    if (std::ranges::none_of(columns, &RecordedColumn::is_text))
      return hash.add(std::as_bytes(values));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const RecordedColumn& column = columns[i % columns.size()];
      if (column.is_text() && values[i] == values[i])
        add_text(column.texts[static_cast<std::size_t>(values[i])]);
      else
        hash.add(std::as_bytes(values.subspan(i, 1)));
    }
  };
  for (const auto* columns : {&recordings.columns, &recordings.target_columns})
    for (const RecordedColumn& column : *columns) add_text(column.name);
  const std::size_t targets = recordings.target_columns.size();
  for (const std::int64_t series : part.series) {
    const auto k = static_cast<std::size_t>(series);
    hash.add(std::as_bytes(std::span(&recordings.lengths[k], 1)));
    add_rows(values_of(recordings, starts, series), recordings.columns);
    const bool steps = recordings.target_at_every_step;
    const std::size_t first = steps ? static_cast<std::size_t>(starts[k]) : k,
                      count = steps ? static_cast<std::size_t>(recordings.lengths[k]) : 1;
    add_rows(std::span(recordings.targets).subspan(first * targets, count * targets),
             recordings.target_columns);
  }
  return hash.digits();
}

}  // namespace unroll::data
