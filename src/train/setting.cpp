#include "train/setting.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "core/list_text.h"
#include "core/overloaded.h"
#include "core/suggest.h"
#include "train/settings.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

using Json = Setting::Json;

/// A normalization that the training images decide.
constexpr std::string_view kAuto = "auto";

std::string with_dashes(std::string_view key) {
  std::string text(key);
  std::ranges::replace(text, '_', '-');
  return text;
}

/// "rnn, lstm or gru"
std::string names_of(const Choice& choice, Names wanted = ~0U) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < choice.names.size(); ++i)
    if (wanted >> i & 1) all.emplace_back(choice.names[i]);
  return text_with_or(all);
}

/// Why a setting needs other names of another one; empty if it has one of them.
std::string unless(const Only& only, const Config& config) {
  if (only.names == ~0U) return "";
  const Setting& other = setting_of(only.key);
  const auto& choice = std::get<Choice>(other.member);
  const std::size_t now = choice.get(config);
  if (now >= choice.names.size() || only.names >> now & 1) return "";
  return fmt::format("with {} {}; leave it out, or use {}", other.flag(), choice.names[now],
                     names_of(choice, only.names));
}

Json json_value(const auto& value) { return value; }
Json json_value(const std::optional<std::uint64_t>& value) { return value ? Json(*value) : Json(); }
Json json_value(const std::optional<data::Normalization>& n) {
  return n ? Json{n->mean, n->std} : Json(kAuto);
}

// Reading. Json::get() alone would make whole numbers of 1.5, true, or what is out of range.

template <class T>
bool read_value(T& to, const Json& j) {
  constexpr bool is_bool = std::is_same_v<T, bool>;
  const bool fine = is_bool                   ? j.is_boolean()
                    : std::is_integral_v<T>   ? j.is_number_integer()
                    : std::is_arithmetic_v<T> ? j.is_number()
                                              : j.is_string();
  if (!fine) return false;
  const T value = j.get<T>();
  if (!std::is_floating_point_v<T> && Json(value).dump() != j.dump()) return false;
  to = value;
  return true;
}

bool read_value(std::optional<std::uint64_t>& to, const Json& j) {
  to.reset();
  return j.is_null() || read_value(to.emplace(), j);
}

bool read_value(std::vector<std::int64_t>& to, const Json& j) {
  to.clear();
  return j.is_array() && std::ranges::all_of(j, [&](const Json& element) {
           return read_value(to.emplace_back(), element);
         });
}

bool read_value(std::vector<std::string>& to, const Json& j) {
  to.clear();
  return j.is_array() && std::ranges::all_of(j, [&](const Json& element) {
           return read_value(to.emplace_back(), element);
         });
}

bool read_value(std::optional<data::Normalization>& to, const Json& j) {
  to.reset();
  if (j == kAuto) return true;
  data::Normalization& n = to.emplace();
  return j.is_array() && j.size() == 2 && read_value(n.mean, j[0]) && read_value(n.std, j[1]);
}

// Parsing.

template <class T>
bool parse_number(std::string_view text, T& to) {
  const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  return error == std::errc() && after == text.data() + text.size();
}

/// A number of a setting without a form of its own.
template <class T>
T parse_plain(const std::string& flag, const std::string& text) {
  T value{};
  if (!parse_number(text, value))
    throw ValueError("usage", fmt::format("{} {}, expected a {}number", flag, text,
                                          std::is_integral_v<T> ? "whole " : ""));
  return value;
}

bool parse_switch(const std::string& flag, const std::string& text) {
  if (!text.empty() && text != "on" && text != "off")
    throw ValueError("usage", fmt::format("{} {}, expected on or off", flag, text));
  return text != "off";
}

std::uint64_t parse_seed(const std::string& flag, const std::string& text) {
  std::uint64_t seed = 0;
  if (!parse_number(text, seed))
    throw ValueError("usage", fmt::format("{} {}, expected a whole number from 0 to {}", flag, text,
                                          std::numeric_limits<std::uint64_t>::max()));
  return seed;
}

std::vector<std::int64_t> parse_steps(const std::string& name, std::string_view text) {
  std::vector<std::int64_t> steps;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    if (!parse_number(part, steps.emplace_back()) || steps.back() < 1)
      throw ValueError(
          name, fmt::format("'{}' is no step; give steps from 1 on, separated by commas", part));
    begin = end + 1;
  }
  return steps;
}

/// "a,b" as its names.
std::vector<std::string> parse_names(const std::string& flag, const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    names.push_back(text.substr(begin, end - begin));
    if (names.back().empty())
      throw ValueError("usage",
                       fmt::format("{} {}, expected names with a comma between them", flag, text));
    begin = end + 1;
  }
  return names;
}

void choose(std::string_view name, const Choice& choice, Config& config, std::string_view value) {
  const auto found = std::ranges::find(choice.names, value);
  if (found == choice.names.end())
    throw ValueError(name,
                     fmt::format("'{}' is not known, expected one of {}{}", value,
                                 fmt::join(choice.names, ", "), did_you_mean(value, choice.names)));
  choice.set(config, static_cast<std::size_t>(found - choice.names.begin()));
}

/// What is wrong with a number, or nothing.
template <class T>
std::string outside_range(const Range& range, T value) {
  const auto number = static_cast<double>(value);
  if (std::isfinite(number) && (range.above_low ? number > range.low : number >= range.low) &&
      (range.below_high ? number < range.high : number <= range.high))
    return "";
  if constexpr (std::is_integral_v<T>)
    return fmt::format("{}, expected a whole number from {} to {}", value,
                       static_cast<std::int64_t>(range.low), static_cast<std::int64_t>(range.high));
  std::string expected = "a finite number";
  if (std::isfinite(range.high))
    expected = fmt::format("a number from {} to {}{}", range.low, range.below_high ? "below " : "",
                           range.high);
  else if (std::isfinite(range.low))
    expected = fmt::format("a number {} {}", range.above_low ? "above" : "of at least", range.low);
  return fmt::format("{}, expected {}", value, expected);
}

}  // namespace

std::string Setting::name() const { return with_dashes(key); }

std::string Setting::flag() const {
  return "--" + (name_as_flag.empty() ? name() : std::string(name_as_flag));
}

bool Setting::is_switch() const {
  return !name_as_flag.empty() || std::holds_alternative<bool Config::*>(member);
}

bool Setting::changes_no_bit() const { return key == "threads" || key == "rows_at_once"; }

std::vector<std::string_view> Setting::choices() const {
  const auto* choice = std::get_if<Choice>(&member);
  return choice && !is_switch() ? choice->names : std::vector<std::string_view>();
}

std::string Setting::value_name() const {
  return std::visit(
      Overloaded{[](const Choice&) -> std::string { return "NAME"; },
                 [](std::string Config::*) -> std::string { return "NAME"; },
                 [](double Config::*) -> std::string { return "NUMBER"; },
                 [](std::vector<std::int64_t> Config::*) -> std::string { return "N,N,..."; },
                 [](std::vector<std::string> Config::*) -> std::string { return "NAME,..."; },
                 [](std::optional<data::Normalization> Config::*) -> std::string {
                   return "none|auto|MEAN,STD";
                 },
                 [](auto) -> std::string { return "N"; }},
      member);
}

Json Setting::json(const Config& config) const {
  return std::visit(Overloaded{[&](const Choice& choice) {
                                 const std::size_t index = choice.get(config);
                                 return index < choice.names.size() ? Json(choice.names[index])
                                                                    : Json();
                               },
                               [&]<class T>(T Config::*at) { return json_value(config.*at); }},
                    member);
}

std::string Setting::text(const Config& config) const {
  if (!name_as_flag.empty()) return json(config) == name_as_flag ? "on" : "off";
  return std::visit(
      Overloaded{
          [&](const Choice&) { return json(config).get<std::string>(); },
          [&](bool Config::*at) -> std::string { return config.*at ? "on" : "off"; },
          [&](std::optional<std::uint64_t> Config::*at) {
            return config.*at ? fmt::to_string(*(config.*at)) : "none";
          },
          [&](std::vector<std::int64_t> Config::*at) {
            return (config.*at).empty() ? "none" : fmt::format("{}", fmt::join(config.*at, ","));
          },
          [&](std::vector<std::string> Config::*at) {
            return (config.*at).empty() ? "none" : fmt::format("{}", fmt::join(config.*at, ","));
          },
          [&](std::string Config::*at) {
            return (config.*at).empty() ? std::string("none") : config.*at;
          },
          [&](std::optional<data::Normalization> Config::*at) {
            const std::optional<data::Normalization>& n = config.*at;
            if (!n) return std::string(kAuto);
            return n->mean == 0 && n->std == 1 ? "none" : fmt::format("{},{}", n->mean, n->std);
          },
          [&](auto at) { return fmt::format("{}", config.*at); }},
      member);
}

bool Setting::read(Config& config, const Json& value) const {
  return std::visit(
      Overloaded{[&](const Choice& choice) {
                   if (value.is_string()) choose(name(), choice, config, value.get<std::string>());
                   return value.is_string();
                 },
                 [&]<class T>(T Config::*at) { return read_value(config.*at, value); }},
      member);
}

void Setting::parse(Config& config, const std::string& text) const {
  std::visit(
      Overloaded{
          [&](const Choice& choice) {
            choose(name(), choice, config, text.empty() ? name_as_flag : text);
          },
          [&](bool Config::*at) { config.*at = parse_switch(flag(), text); },
          [&](std::string Config::*at) { config.*at = text; },
          [&](std::uint64_t Config::*at) { config.*at = parse_seed(flag(), text); },
          [&](std::optional<std::uint64_t> Config::*at) {
            config.*at = text.empty() ? 0 : parse_seed(flag(), text);
          },
          [&](std::vector<std::int64_t> Config::*at) { config.*at = parse_steps(name(), text); },
          [&](std::vector<std::string> Config::*at) { config.*at = parse_names(flag(), text); },
          [&](std::optional<data::Normalization> Config::*at) {
            config.*at = text == kAuto ? std::nullopt : std::optional(parse_normalization(text));
          },
          [&]<class T>(T Config::*at) { config.*at = parse_plain<T>(flag(), text); }},
      member);
}

void Setting::check_range(const Config& config) const {
  const std::string text = std::visit(
      Overloaded{[&](const Choice& choice) {
                   return choice.get(config) < choice.names.size()
                              ? std::string()
                              : fmt::format("this value is not allowed here, expected {}",
                                            names_of(choice));
                 },
                 [&]<class T>(T Config::*at) {
                   if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
                     return outside_range(rules.range, config.*at);
                   else
                     return std::string();
                 }},
      member);
  if (!text.empty()) throw ValueError(name(), text);
}

std::string Setting::lacking(const Config& config) const {
  if (std::string text = unless({"model", rules.models}, config); !text.empty()) return text;
  const std::string_view why =
      rules.missing ? rules.missing(data::source_traits(config.dataset)) : "";
  return why.empty() ? "" : fmt::format("with {}, which {}; leave it out", config.dataset, why);
}

bool Setting::exists(const Config& config) const { return lacking(config).empty(); }

std::string Setting::no_effect(const Config& config) const {
  std::string text = lacking(config);
  if (text.empty()) text = unless(rules.only, config);
  if (text.empty() && rules.idle) text = rules.idle(config);
  return text;
}

void Setting::check(const Config& config) const {
  check_range(config);
  if (json(config) != json(Config()))
    if (const std::string text = lacking(config); !text.empty())
      throw ValueError(flag().substr(2), "no effect " + text);
  if (!rules.fault) return;
  if (const std::string text = rules.fault(config); !text.empty()) throw ValueError(name(), text);
}

data::Normalization parse_normalization(const std::string& text) {
  data::Normalization result;
  if (text == "none") return result;
  const std::string_view all = text;
  const auto comma = all.find(',');
  if (comma == std::string::npos || !parse_number(all.substr(0, comma), result.mean) ||
      !parse_number(all.substr(comma + 1), result.std))
    throw ValueError("usage", fmt::format("--normalize {}, expected none or MEAN,STD, for example "
                                          "0.1307,0.3081; when training, also auto",
                                          text));
  data::pixel_values(result);
  return result;
}

}  // namespace unroll::train
