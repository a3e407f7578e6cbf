#include "app/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "app/usage_error.h"

namespace unroll::app {
namespace {

template <class T>
struct ValueOf {
  using type = T;
};
template <class T>
struct ValueOf<std::optional<T>> {
  using type = T;
};
template <>
struct ValueOf<std::vector<std::string>> {
  using type = std::string;
};

template <class T>
std::errc parse_all(std::string_view text, T& value) {
  const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && after != text.data() + text.size())
    return std::errc::invalid_argument;
  return error;
}

/// What to type instead of `text`.
template <class T>
std::string better_number(std::string text) {
  if constexpr (std::is_integral_v<T>) {
    double number = 0;  // 1e3, 100.0
    if (parse_all(text, number) == std::errc() && std::abs(number) < 1e15 &&
        number == std::trunc(number))
      return fmt::format("write {}", static_cast<std::int64_t>(number));
    return "give one such as 10";
  } else {
    double number = 0;
    std::ranges::replace(text, ',', '.');
    if (parse_all(text, number) == std::errc()) return fmt::format("write {}", text);
    return "give one such as 0.1";
  }
}

template <class T>
T number_from(const OptionEntry& entry, const std::string& text) {
  T value{};
  const std::string_view digits = std::string_view(text).substr(text.starts_with('+') ? 1 : 0);
  const std::errc error = parse_all(digits, value);
  if (error == std::errc()) return value;
  if constexpr (std::is_floating_point_v<T>)
    if (error == std::errc::result_out_of_range && text.find_first_of("eE") != text.npos &&
        text[text.find_first_of("eE") + 1] == '-')
      return 0;  // 1e-400
  if (error == std::errc::result_out_of_range)
    throw UsageError(
        fmt::format("{} {} is out of range; give a number closer to 0", entry.name(), text));
  throw UsageError(fmt::format("{} {} is not a {}number; {}", entry.name(), text,
                               std::is_integral_v<T> ? "whole " : "", better_number<T>(text)));
}

}  // namespace

Option Option::required() const {
  entry_->required = true;
  return *this;
}

Option Option::value(const std::string& name) const {
  entry_->value = name;
  return *this;
}

Option Option::file(const std::string& name) const {
  entry_->paths = Paths::files;
  return value(name);
}

Option Option::folder(const std::string& name) const {
  entry_->paths = Paths::folders;
  return value(name);
}

Option Option::choices(const std::vector<std::string_view>& names) const {
  entry_->only_choices = true;
  offers(names);
  return value(fmt::format("{{{}}}", fmt::join(names, ",")));
}

Option Option::offers(const std::vector<std::string_view>& names) const {
  entry_->choices.assign(names.begin(), names.end());
  return *this;
}

Option Option::values(std::size_t fewest, std::size_t most) const {
  entry_->fewest = fewest;
  entry_->most = most;
  return *this;
}

Option Option::repeatable(const std::string& value_name) const {
  entry_->repeatable = true;
  return value(value_name);
}

Option Option::shows_default() const {
  entry_->shows_default = true;
  return *this;
}

Option Option::group(const std::string& heading) const {
  entry_->heading = heading;
  return *this;
}

Command Command::add(const std::string& name, const std::string& description,
                     const std::string& example) {
  CommandEntry& below = entry_->commands.emplace_back();
  below.name = name;
  below.path = entry_->path + " " + name;
  below.description = description;
  below.example = example;
  below.heading = heading_;
  Command(below).flag(
      "-h,--help", [] {}, "Show this help");
  return Command(below);
}

OptionEntry& Command::add_entry(const std::string& names, const std::string& help) {
  OptionEntry& entry = (names.starts_with("-") ? entry_->flags : entry_->arguments).emplace_back();
  const std::size_t comma = names.find(',');
  if (comma != std::string::npos)
    entry.names = {names.substr(0, comma), names.substr(comma + 1)};
  else
    entry.names = {names};
  if (!entry.is_flag())
    for (char& c : entry.names[0])
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  entry.help = help;
  return entry;
}

template <class T>
Option Command::option(const std::string& names, T& value, const std::string& help) {
  using Value = typename ValueOf<T>::type;
  OptionEntry& entry = add_entry(names, help);
  if constexpr (std::is_arithmetic_v<Value>) {
    entry.value = std::is_integral_v<Value> ? "N" : "NUMBER";
    if constexpr (std::is_arithmetic_v<T>) entry.default_value = fmt::format("{}", value);
    entry.read = [&value](const OptionEntry& e) { value = number_from<Value>(e, e.values.back()); };
  } else {
    entry.value = entry.is_flag() ? "TEXT" : entry.name();
    if constexpr (std::is_same_v<T, std::string>) entry.default_value = value;
    entry.read = [&value](const OptionEntry& e) {
      if constexpr (std::is_same_v<T, std::vector<std::string>>)
        value = e.values;
      else
        value = e.values.back();
    };
  }
  return Option(entry);
}
template Option Command::option(const std::string&, std::string&, const std::string&);
template Option Command::option(const std::string&, int&, const std::string&);
template Option Command::option(const std::string&, std::int64_t&, const std::string&);
template Option Command::option(const std::string&, double&, const std::string&);
template Option Command::option(const std::string&, std::vector<std::string>&, const std::string&);
template Option Command::option(const std::string&, std::optional<std::string>&,
                                const std::string&);
template Option Command::option(const std::string&, std::optional<int>&, const std::string&);
template Option Command::option(const std::string&, std::optional<std::int64_t>&,
                                const std::string&);

Option Command::flag(const std::string& names, bool& given, const std::string& help) {
  return flag(
      names, [&given] { given = true; }, help);
}

Option Command::flag(const std::string& names, const std::function<void()>& given,
                     const std::string& help) {
  OptionEntry& entry = add_entry(names, help);
  entry.read = [given](const OptionEntry&) { given(); };
  return Option(entry);
}

Option Command::find(const std::string& name) const { return Option(*find_flag(*entry_, name)); }

}  // namespace unroll::app
