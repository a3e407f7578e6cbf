#include "data/split.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/philox.h"
#include "core/printable.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

// The second half of Philox's counters. Differs from those of other random numbers.
constexpr std::uint64_t kSplitStream = 0x53504c49'54000000;  // "SPLIT"

constexpr double kTestShare = 0.2, kValidationShare = 0.15;

/// A value of --test or --validate.
struct PartChoice {
  enum class Kind { automatic, none, share, groups, given } kind = Kind::automatic;
  double share = 0;
  std::vector<std::string_view> groups = {};  // into the setting
};

/// `flag` is "test" or "validate". `given`: files or a column, which the reader has handled.
PartChoice choice_of(const char* flag, std::string_view text) {
  using Kind = PartChoice::Kind;
  constexpr std::string_view kGroups = "groups:";
  if (text == automatic_part) return {};
  if (text == no_part) return {.kind = Kind::none};
  if (text.starts_with(kGroups)) {
    PartChoice choice{.kind = Kind::groups};
    for (std::string_view rest = text.substr(kGroups.size());;) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (comma == 0)
        throw ValueError(
            flag, fmt::format("{} names an empty group; write it as groups:7,8", in_quotes(text)));
      choice.groups.push_back(rest.substr(0, comma));
      if (comma == rest.size()) return choice;
      rest.remove_prefix(comma + 1);
    }
  }
  if (const auto share = share_of(flag, text)) return {.kind = Kind::share, .share = *share};
  return {.kind = Kind::given};
}

/// Series that stay together.
struct Unit {
  std::string_view name;
  std::uint64_t word = 0;
  float target = 0;  // the class, if units have one each
  Split part = Split::train;
};

class Splitter {
 public:
  Splitter(const Recordings& recordings, SeriesSettings& settings)
      : recordings_(recordings),
        settings_(settings),
        parts_(static_cast<std::size_t>(recordings.count()), Split::train) {
    find_given_parts();
    find_units();
  }

  std::vector<Split> choose() {
    const PartChoice test = choice_of("test", settings_.test),
                     validation = choice_of("validate", settings_.validate);
    if (settings_.test == settings_.validate &&
        (test.kind == PartChoice::Kind::given || test.kind == PartChoice::Kind::groups))
      throw ValueError("validate", fmt::format("{} is also --test; give other series, or none",
                                               in_quotes(settings_.validate)));
    const bool test_given = has(Split::test);
    if (settings_.folds > 0)
      take_fold(test);
    else
      take_part(Split::test, "test", test, settings_.test);
    if (validation.kind == PartChoice::Kind::automatic && !has(Split::validation) && test_given &&
        std::ranges::count(parts_, Split::train) < least_series_to_validate)
      settings_.validate = no_part;
    else
      take_part(Split::validation, "validate", validation, settings_.validate);
    assign();
    if (!has(Split::train))
      throw ValueError("data", fmt::format("all {} are taken by --test {} and --validate {}; none "
                                           "are left for training",
                                           nouns(), settings_.test, settings_.validate));
    return std::move(parts_);
  }

 private:
  const char* nouns() const { return recordings_.groups.empty() ? "series" : "groups"; }
  bool has(Split part) const { return std::ranges::find(parts_, part) != parts_.end(); }

  /// The parts that files or a column say.
  void find_given_parts() {
    for (std::size_t k = 0; k < recordings_.parts.size(); ++k)
      parts_[k] = recordings_.parts[k].value_or(Split::train);
    std::map<std::string_view, std::size_t> first;  // series of each group
    for (std::size_t k = 0; k < recordings_.groups.size(); ++k) {
      const auto [found, fresh] = first.try_emplace(recordings_.groups[k], k);
      if (const std::size_t other = found->second; parts_[other] != parts_[k])
        throw ValueError("data",
                         fmt::format("group {} is in two parts: series {} is for {}, series {} for "
                                     "{}; give all its series to one part",
                                     in_quotes(recordings_.groups[k]),
                                     in_quotes(recordings_.names[other]), name_of(parts_[other]),
                                     in_quotes(recordings_.names[k]), name_of(parts_[k])));
    }
  }

  static const char* name_of(Split part) {
    return part == Split::train ? "training" : part == Split::test ? "testing" : "validation";
  }

  /// The units whose part is not given, sorted, with their words and classes.
  void find_units() {
    const auto names = unit_names(recordings_);
    std::map<std::string_view, std::vector<std::size_t>> series;
    for (std::size_t k = 0; k < names.size(); ++k)
      if (parts_[k] == Split::train) series[names[k]].push_back(k);
    const bool classes = recordings_.target_columns.size() == 1 &&
                         recordings_.target_columns[0].is_text() &&
                         !recordings_.target_at_every_step;
    bool one_class_each = classes;
    for (const auto& [name, members] : series) {
      Unit unit{.name = name, .word = split_word(settings_.split_seed, units_.size())};
      if (classes) {
        // A missing class is a class of its own here; training refuses it.
        const auto class_of = [&](std::size_t k) {
          const float target = recordings_.targets[k];
          return std::isnan(target) ? -1.0F : target;
        };
        unit.target = class_of(members[0]);
        for (const std::size_t k : members) one_class_each &= class_of(k) == unit.target;
      }
      units_.push_back(unit);
    }
    if (!one_class_each)
      for (Unit& unit : units_) unit.target = 0;
  }

  /// The units that are still for training, in the order in which a part takes them: class by
  /// class, each by its words.
  std::vector<std::size_t> free_units() const {
    std::vector<std::size_t> free;
    for (std::size_t u = 0; u < units_.size(); ++u)
      if (units_[u].part == Split::train) free.push_back(u);
    // Classes are ordered by their texts, because their numbers depend on the order of rows.
    const auto class_text = [&](const Unit& unit) -> std::string_view {
      if (recordings_.target_columns.empty() || !recordings_.target_columns[0].is_text() ||
          unit.target < 0)
        return {};
      return recordings_.target_columns[0].texts[static_cast<std::size_t>(unit.target)];
    };
    std::ranges::sort(free, {}, [&](std::size_t u) {
      return std::tuple(class_text(units_[u]), units_[u].word, u);
    });
    return free;
  }

  std::size_t take_share(double share, Split part) {
    const auto free = free_units();
    std::vector<UnitDraw> draws;
    for (const std::size_t u : free)
      draws.push_back({static_cast<std::int64_t>(units_[u].target), units_[u].word});
    const auto chosen = choose_share(draws, share);
    for (const std::size_t i : chosen) units_[free[i]].part = part;
    return chosen.size();
  }

  void take_groups(Split part, const char* flag, const PartChoice& choice) {
    if (recordings_.groups.empty())
      throw ValueError(flag, "groups, but the series have none; name their column with --group");
    for (const std::string_view name : choice.groups) {
      const auto unit = std::ranges::find(units_, name, &Unit::name);
      if (unit != units_.end() && unit->part == Split::train) {
        unit->part = part;
        continue;
      }
      if (unit != units_.end() ||
          std::ranges::find(recordings_.groups, name) != recordings_.groups.end())
        throw ValueError(
            flag, fmt::format("group {} is already in a part; name it once", in_quotes(name)));
      std::vector<std::string> known;
      for (const Unit& u : units_)
        if (known.size() < 20) known.push_back(printable(u.name));
      throw ValueError(
          flag, fmt::format("no series has the group {}; there are {}{}", in_quotes(name),
                            fmt::join(known, ", "), units_.size() > known.size() ? ", ..." : ""));
    }
  }

  void take_part(Split part, const char* flag, const PartChoice& choice, std::string& setting) {
    using Kind = PartChoice::Kind;
    switch (choice.kind) {
      case Kind::none:
        return;
      case Kind::automatic: {
        if (has(part)) return;
        const double share = part == Split::test ? kTestShare : kValidationShare;
        if (part == Split::test && recordings_.count() == 1)
          throw ValueError(flag,
                           "auto, but one series can't be split; give --series, the column that "
                           "says which rows belong together, or --test none to train on all");
        setting = take_share(share, part) > 0 ? fmt::format("{}", share) : std::string(no_part);
        return;
      }
      case Kind::share: {
        const std::size_t count = free_units().size();
        if (take_share(choice.share, part) == 0)
          throw ValueError(flag, fmt::format("{} of {} {} is none; give a larger share, or none",
                                             choice.share, count, nouns()));
        return;
      }
      case Kind::groups:
        return take_groups(part, flag, choice);
      case Kind::given:
        if (!has(part))
          throw ValueError(flag, fmt::format("{} has no series; expected a file, a share as in "
                                             "0.2, groups:7,8, column:split=test, auto or none",
                                             in_quotes(setting)));
    }
  }

  void take_fold(const PartChoice& test) {
    if (has(Split::test) ||
        (test.kind != PartChoice::Kind::automatic && test.kind != PartChoice::Kind::none))
      throw ValueError("folds", fmt::format("{} with a test part of its own; give --test none, or "
                                            "leave --folds out",
                                            settings_.folds));
    settings_.test = no_part;
    const auto free = free_units();
    const auto folds = static_cast<std::size_t>(settings_.folds);
    if (free.size() < folds)
      throw ValueError("folds", fmt::format("{} of {} {}; give at most {}", settings_.folds,
                                            free.size(), nouns(), free.size()));
    for (auto i = static_cast<std::size_t>(settings_.fold); i < free.size(); i += folds)
      units_[free[i]].part = Split::test;
  }

  void assign() {
    const auto names = unit_names(recordings_);
    for (std::size_t k = 0; k < parts_.size(); ++k)
      if (parts_[k] == Split::train) {
        const auto unit =
            std::ranges::lower_bound(units_, std::string_view(names[k]), {}, &Unit::name);
        parts_[k] = unit->part;
      }
  }

  const Recordings& recordings_;
  SeriesSettings& settings_;
  std::vector<Split> parts_;
  std::vector<Unit> units_;  // sorted by name
};

}  // namespace

std::uint64_t split_word(std::uint64_t split_seed, std::uint64_t unit) {
  const auto words = philox(unit, kSplitStream, split_seed);
  return std::uint64_t{words[0]} << 32 | words[1];
}

std::vector<std::size_t> choose_share(std::span<const UnitDraw> units, double share) {
  std::vector<std::size_t> order(units.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {},
                    [&](std::size_t i) { return std::tuple(units[i].stratum, units[i].word, i); });
  struct Candidate {
    double place;  // in its stratum, 0 to 1
    std::uint64_t word;
    std::size_t unit;
  };
  std::vector<Candidate> candidates;
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && units[order[end]].stratum == units[order[begin]].stratum) ++end;
    for (std::size_t i = begin; i + 1 < end; ++i)
      candidates.push_back(
          {(static_cast<double>(i - begin) + 0.5) / static_cast<double>(end - begin),
           units[order[i]].word, order[i]});
    begin = end;
  }
  std::ranges::sort(candidates, {},
                    [](const Candidate& c) { return std::tuple(c.place, c.word, c.unit); });
  const auto wanted =
      static_cast<std::size_t>(std::floor(share * static_cast<double>(units.size()) + 0.5));
  candidates.resize(std::min(candidates.size(), wanted));
  std::vector<std::size_t> chosen;
  for (const Candidate& c : candidates) chosen.push_back(c.unit);
  return chosen;
}

std::optional<double> share_of(const char* flag, std::string_view text) {
  std::string_view number = text;
  const bool percent = text.ends_with('%');
  if (percent) number.remove_suffix(1);
  double share = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), share);
  if (error != std::errc{} || end != number.data() + number.size()) return {};
  if (percent)
    throw ValueError(flag, fmt::format("{}, expected a share above 0 and below 1, as in 0.2; give "
                                       "{:.6g}",
                                       text, share / 100));
  if (!(share > 0 && share < 1))
    throw ValueError(flag, fmt::format("{}, expected a share above 0 and below 1, or none", text));
  return share;
}

std::span<const std::string> unit_names(const Recordings& recordings) {
  return recordings.groups.empty() ? recordings.names : recordings.groups;
}

std::vector<Split> choose_parts(const Recordings& recordings, SeriesSettings& settings) {
  return Splitter(recordings, settings).choose();
}

}  // namespace unroll::data
