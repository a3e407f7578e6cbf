// What a row of the table of settings says, and what follows from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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
                 std::vector<std::int64_t> Config::*, data::Normalization Config::*, Choice>;

/// The values that a number may have; only a member that is a number has one.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool above_low = false, below_high = false;  ///< whether the end itself is excluded
};

/// A set of kinds of models: bit k stands for the kind with number k.
using Models = unsigned;

/// One setting.
struct Setting {
  using Json = nlohmann::ordered_json;

  std::string_view key;  ///< in config.json; with - for _ in errors
  Member member;
  std::string_view group;  ///< the heading in the help
  std::string_view help;   ///< {} stands for a Choice's names
  Range range = {};
  Models models = ~0U;  ///< that have the setting; in others it keeps its default
  /// Why the data has no such setting, as in "has no pixels"; empty if it has. Null: all data has.
  std::string_view (*missing)(const data::SourceTraits&) = nullptr;
  /// What else is wrong with the setting in this configuration; empty if nothing is.
  std::string (*fault)(const Config&) = nullptr;
  /// A flag without a value that stands for one name of a Choice, as --pixels does.
  std::string_view name_as_flag = {};

  std::string flag() const;  ///< "--zoneout-h"
  std::string help_text() const;

  /// The value as config.json has it.
  Json json(const Config& config) const;
  /// False for a value of another type. Throws ValueError for a name that is not known.
  bool read(Config& config, const Json& value) const;
  /// Reads the text of a flag. Throws ValueError; also for plain numbers and switches, whose flags
  /// give no text.
  void parse(Config& config, const std::string& text) const;
  /// Throws ValueError for a value outside its range, or that has no meaning in this configuration.
  void check(const Config& config) const;

 private:
  std::string name() const;
  void check_range(const Config& config) const;
  void check_meaning(const Config& config) const;
};

/// Reads "none" or "0.1307,0.3081". Throws ValueError.
data::Normalization parse_normalization(const std::string& text);

}  // namespace unroll::train
