// A row of the table of settings, and what follows from it: JSON, flag, help and checks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "data/source_traits.h"
#include "train/config.h"

namespace unroll::train {

/// The headings of the help, in its order.
enum class Group { data, series, model, regularisation, training, run, output };
inline constexpr std::string_view group_names[] = {
    "Data", "Your own series", "Model", "Regularisation", "Training", "Run", "Output"};

constexpr std::string_view name_of(Group g) { return group_names[static_cast<int>(g)]; }

/// A value out of a list of names.
struct Choice {
  std::vector<std::string_view> names;
  std::function<std::size_t(const Config&)> get;  ///< names.size() for a value without a name
  std::function<void(Config&, std::size_t)> set;
};

/// The member of Config. Its type says how the setting is written and read.
using Member =
    std::variant<bool Config::*, int Config::*, std::int64_t Config::*, std::uint64_t Config::*,
                 double Config::*, std::string Config::*, std::optional<std::uint64_t> Config::*,
                 std::vector<std::int64_t> Config::*, std::vector<std::string> Config::*,
                 std::optional<data::Normalization> Config::*, Choice>;

/// The values that a number may have; only a member that is a number has one.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool above_low = false, below_high = false;  ///< whether the end itself is excluded
};

/// A set of names of a Choice: bit k stands for name k.
using Names = unsigned;

template <class E>
constexpr Names set_of(std::initializer_list<E> values) {
  Names all = 0;
  for (const E value : values) all |= 1U << static_cast<unsigned>(value);
  return all;
}

/// The setting has an effect only with these names of another setting, which is a Choice.
struct Only {
  std::string_view key;
  Names names = ~0U;
};

/// The values that a setting may have, and when it has an effect.
struct Rules {
  Range range = {};
  /// The models that have the setting. In others it must keep its default, because code relies on
  /// that.
  Names models = ~0U;
  /// Why the data has no such setting, as in "has no pixels"; empty if it has. There, too, the
  /// setting must keep its default. Null: all data has it.
  std::string_view (*missing)(const data::SourceTraits&) = nullptr;
  /// Otherwise the setting does nothing, and may have any value: recipes leave some behind.
  Only only = {};
  /// Why the setting does nothing for another reason, and the remedy: "with --epochs; leave one of
  /// both out". Empty if it does something.
  std::string (*idle)(const Config&) = nullptr;
  /// What else is wrong with the setting; empty if nothing is.
  std::string (*fault)(const Config&) = nullptr;
};

/// One setting.
struct Setting {
  using Json = nlohmann::ordered_json;

  std::string_view key;  ///< in config.json; with - for _ in errors
  Member member;
  Group group;
  std::string help;  ///< without default and choices, which follow from the row
  Rules rules = {};
  /// A flag without a value that stands for one name of a Choice, as --pixels does.
  std::string_view name_as_flag = {};

  std::string name() const;     ///< "zoneout-h"
  std::string flag() const;     ///< "--zoneout-h"
  bool is_switch() const;       ///< its flag takes no value
  bool changes_no_bit() const;  ///< of any result
  /// What its flag takes: the names of a Choice, empty for all else.
  std::vector<std::string_view> choices() const;
  std::string value_name() const;  ///< "N", how help calls the flag's value

  /// The value as config.json has it.
  Json json(const Config& config) const;
  /// The value as its flag takes it, for people: "0.1", "none", "on".
  std::string text(const Config& config) const;
  /// False for a value of another type. Throws ValueError for a name that is not known.
  bool read(Config& config, const Json& value) const;
  /// Reads the text of a flag. That of a switch is empty, or "on" or "off", or the name of a
  /// Choice. Throws ValueError.
  void parse(Config& config, const std::string& text) const;

  /// Throws ValueError for a value outside its range, or that has no meaning in this configuration.
  void check(const Config& config) const;
  /// Whether model and data have the setting.
  bool exists(const Config& config) const;
  /// Why the setting has no effect in this configuration, and the remedy: "with --optimizer adam;
  /// leave it out, or use sgd or muon". Empty if it has an effect.
  std::string no_effect(const Config& config) const;

 private:
  void check_range(const Config& config) const;
  std::string lacking(const Config& config) const;
};

/// Reads "none" or "0.1307,0.3081". Throws ValueError.
data::Normalization parse_normalization(const std::string& text);

}  // namespace unroll::train
