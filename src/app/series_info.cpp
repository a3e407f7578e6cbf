#include "app/series_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <variant>

#include "app/json_line.h"
#include "app/result_text.h"
#include "app/summary.h"
#include "core/printable.h"
#include "train/baselines.h"
#include "train/settings.h"

namespace unroll::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::pair<data::Split, const char*> kParts[] = {{data::Split::train, "train"},
                                                          {data::Split::validation, "validation"},
                                                          {data::Split::test, "test"}};

/// The part whose baselines are shown: that by which models are compared.
data::Split part_to_compare(const data::Source& source) {
  return source.size(data::Split::validation) > 0 ? data::Split::validation : data::Split::test;
}

/// The values of all series as f32.
std::uint64_t bytes_of_values(const data::Source& source, const Json& facts) {
  const auto table = source.table();
  const std::uint64_t width = table ? std::max<std::size_t>(table->columns.size(), 1) : 1;
  std::uint64_t steps = 0;
  for (const auto& part : facts.at("split")) steps += part.at("steps").get<std::uint64_t>();
  return 4 * width * steps;
}

Json json_of_input(const spec::InputSpec& input) {
  if (const auto* tokens = std::get_if<spec::TokenInput>(&input))
    return {{"words", tokens->tokens}};
  const auto& series = std::get<spec::SeriesInput>(input);
  return {{"features", series.names}, {"mean", series.mean}, {"std", series.std}};
}

Json json_of_part(const data::Source& source, data::Split part) {
  const std::span<const std::int64_t> lengths = source.lengths(part);
  Json json = {{"samples", source.size(part)}, {"sha256", source.sha256(part)}};
  if (lengths.empty()) return json;
  const auto [shortest, longest] = std::ranges::minmax(lengths);
  json["steps"] = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  json["shortest"] = shortest;
  json["longest"] = longest;
  return json;
}

Json json_of(const data::Source& source, const Json& facts) {
  Json line = {{"event", "data_info"}, {"name", source.name()}, {"place", source.place()}};
  train::Config config;
  static_cast<data::SeriesSettings&>(config) = *source.series_settings();
  Json& settings = line["settings"] = Json::object();
  for (const train::Setting& setting : train::settings())
    if (setting.group == train::Group::series)
      settings[std::string(setting.key)] = setting.json(config);
  line["input"] = json_of_input(source.input());
  const data::TargetSpec target = source.target();
  line["target"] = {{"size", target.size}, {"names", target.names}};
  for (const auto& [part, name] : kParts)
    if (source.size(part) > 0) line["parts"][name] = json_of_part(source, part);
  line["bytes"] = bytes_of_values(source, facts);
  Json& baselines = line["baselines"] = Json::array();
  for (const train::Baseline& b : train::baselines(source, part_to_compare(source)))
    baselines.push_back({{"title", b.title}, {"metric", b.metric}, {"value", b.value}});
  if (const std::string note = source.note(); !note.empty()) line["note"] = note;
  line["data"] = facts;
  return line;
}

}  // namespace

void print_series_info(const data::Source& source, bool json) {
  const Json facts = Json::parse(source.facts());
  if (json) {
    fmt::print("{}\n", json_line(json_of(source, facts)));
    return;
  }
  fmt::print("set: {}, from {}\n{}{}values in memory: {}\n", printable(source.name()),
             printable(source.place()), source.inferred(), source.sizes_text(),
             size_text(bytes_of_values(source, facts)));
  const data::Split part = part_to_compare(source);
  for (const train::Baseline& b : train::baselines(source, part))
    fmt::print("baseline, {} part: {}\n", train::name_of(part), baseline_text(b));
}

}  // namespace unroll::app
