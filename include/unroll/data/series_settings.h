// What the user says about series of their own: columns, parts, scaling.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::data {

// Enumerations, and their names on the command line and in config.json.

enum class Task {
  automatic,  // as the file says
  classify,   // one class for each series
  regress,    // numbers for each series
  label,      // one class at every step
};
inline constexpr std::string_view task_names[] = {"auto", "classify", "regress", "label"};

enum class Missing {
  refuse,
  mean,      // the mean of the training part, and a mark
  previous,  // the value before it in the series, else the mean; and a mark
};
inline constexpr std::string_view missing_names[] = {"refuse", "mean", "previous"};

enum class Scale {
  standard,  // to mean 0 and standard deviation 1 in the training part
  none,
};
inline constexpr std::string_view scale_names[] = {"standard", "none"};

enum class ClassWeights {
  none,
  balanced,  // N / (C n_c), of the training part
};
inline constexpr std::string_view class_weight_names[] = {"none", "balanced"};

constexpr std::string_view name_of(Task t) { return task_names[static_cast<int>(t)]; }
constexpr std::string_view name_of(Missing m) { return missing_names[static_cast<int>(m)]; }
constexpr std::string_view name_of(Scale s) { return scale_names[static_cast<int>(s)]; }
constexpr std::string_view name_of(ClassWeights w) {
  return class_weight_names[static_cast<int>(w)];
}

/// A part that is not given but chosen by the data.
inline constexpr std::string_view automatic_part = "auto";
/// No such part.
inline constexpr std::string_view no_part = "none";

/// Settings of series. A Config is one; the table in train/settings.cpp has a row for each member.
/// Names are those of columns. After reading (Source::series_settings()) nothing is automatic.
struct SeriesSettings {
  Task task = Task::automatic;
  std::vector<std::string> target = {};    ///< columns to predict; needed for tables
  std::vector<std::string> features = {};  ///< empty: all columns without another role
  std::vector<std::string> ignore = {};
  std::string series = {};          ///< which rows belong together
  std::string time = {};            ///< orders the rows of a series
  std::string time_format = {};     ///< empty: ISO 8601
  std::string group = {};           ///< what no split may tear apart
  std::string words = {};           ///< tokens instead of numbers
  std::int64_t vocabulary = 20000;  ///< most words; the rest is <unk>
  bool wide = false;                ///< a row is a series, a column a step
  std::int64_t window = 0;          ///< cut long series; 0: whole
  std::int64_t stride = 0;          ///< from window to window; 0: as the window
  Missing missing = Missing::refuse;
  bool log = false;  // numbers pass sign(x) log(1 + |x|), before the scaling
  Scale scale = Scale::standard;
  ClassWeights class_weights = ClassWeights::none;
  std::string separator = {}, decimal = {};  ///< of a table; empty: found in the file, "."
  bool no_header = false;                    ///< of a table: columns are called 1, 2, ...

  /// A file, a share ("0.2"), "groups:7,8", "column:split=test", "none" or "auto".
  std::string validate = std::string(automatic_part), test = std::string(automatic_part);
  std::uint64_t split_seed = 0;
  /// With folds > 0 the series are cut into so many parts, and `fold` (from 0) is the test part.
  std::int64_t folds = 0, fold = 0;

  friend bool operator==(const SeriesSettings&, const SeriesSettings&) = default;
};

}  // namespace unroll::data
