#include "data/npz_recordings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/file.h"
#include "core/list_text.h"
#include "core/machine_memory.h"
#include "core/printable.h"
#include "data/recorded_columns.h"
#include "data/table_value.h"
#include "data/zip_archive.h"
#include "io/array_index.h"
#include "io/npy_memory.h"
#include "io/npy_texts.h"
#include "unroll/core/error.h"
#include "unroll/io/safetensors.h"

namespace unroll::data {
namespace {

constexpr std::uint64_t kLargestNpz = std::uint64_t{1} << 40;
/// numpy.savez_compressed may shorten constant numbers to the least that deflate can.
constexpr ZipUse kNpzUse = {
    .operation = "data", .growth = 1032, .remedy = "save the arrays in several files"};

/// An array of the archive as f64 or f32.
template <class T>
struct Numbers {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<T> values;
};

/// Numbers, or texts: then a value is an index into `texts`, and NaN where a text is missing.
struct NumbersOrTexts : Numbers<double> {
  bool has_texts = false;
  std::vector<std::string> texts = {};
};

/// Arrays of one part: "X" + suffix and so on.
struct PartOfArchive {
  std::string_view suffix;
  std::optional<Split> part;
};

class NpzReader {
 public:
  NpzReader(const std::string& path, const SeriesSettings& settings, Targets targets)
      : path_(path),
        settings_(settings),
        targets_(targets),
        bytes_(read_file("data", path, kLargestNpz)),
        archive_(open()) {}

  Recordings read() {
    const std::vector<PartOfArchive> parts = parts_of_archive();
    for (const PartOfArchive& part : parts) {
      read_part(part);
      if (parts.size() > 1) result_.parts.resize(result_.lengths.size(), part.part);
    }
    for (std::int64_t i = 0; i < features_; ++i)
      result_.columns.push_back({.name = fmt::format("x_{}", i)});
    name_targets();
    if (shortened_ > 0)
      result_.notes.push_back(
          fmt::format("{}: {} series end in NaN, which are no steps of them", path_, shortened_));
    ListText others;
    for (const std::string_view name : archive_.names())
      if (std::ranges::find(used_, name) == used_.end()) others.add(printable(name));
    if (!others.empty())
      result_.notes.push_back(fmt::format("{}: not read: {}", path_, others.text()));
    return std::move(result_);
  }

 private:
  void name_targets() {
    const bool has_classes = settings_.task != Task::regress && targets_of_series_ > 0;
    result_.target_at_every_step = settings_.task == Task::label;
    if (has_classes && classes_.empty()) {
      if (targets_ == Targets::needed) fail("y has no class; training needs the classes");
      result_.targets.clear();
      return;
    }
    for (std::int64_t i = 0; i < targets_of_series_; ++i)
      result_.target_columns.push_back(
          {.name = targets_of_series_ == 1 ? "y" : fmt::format("y_{}", i)});
    if (has_classes) result_.target_columns[0].texts = classes_;
  }

  ZipArchive open() const {
    if (!is_zip(bytes_))
      throw FormatError("data", fmt::format("{} is not an .npz file, expected a zip archive of "
                                            "arrays; save it with numpy.savez",
                                            path_));
    return ZipArchive(bytes_, path_, kNpzUse);
  }

  [[noreturn]] void fail(std::string_view what) const {
    throw FormatError("data", fmt::format("{}: {}", path_, what));
  }

  bool has(std::string_view name, std::string_view suffix) const {
    return archive_.has(fmt::format("{}{}.npy", name, suffix));
  }

  std::vector<PartOfArchive> parts_of_archive() const {
    const bool whole = has("X", ""), in_parts = has("X", "_train");
    if (whole && in_parts) fail("it has both X and X_train, expected one of them; delete one");
    if (whole) return {{.suffix = "", .part = {}}};
    if (!in_parts)
      fail(
          fmt::format("it has {}, expected X and y, or X_train, y_train, X_test and y_test; save "
                      "them with numpy.savez(\"{}\", X=X, y=y)",
                      names_text(), path_));
    std::vector<PartOfArchive> parts = {{.suffix = "_train", .part = {}}};
    if (has("X", "_val")) parts.push_back({.suffix = "_val", .part = Split::validation});
    if (has("X", "_test")) parts.push_back({.suffix = "_test", .part = Split::test});
    const auto check = [&](std::string_view suffix, std::string_view flag, std::string_view value) {
      if (has("X", suffix) && value != automatic_part)
        throw ValueError("data", fmt::format("{} has X{}, but {} is {}; leave it out", path_,
                                             suffix, flag, in_quotes(value)));
    };
    check("_val", "--validate", settings_.validate);
    check("_test", "--test", settings_.test);
    return parts;
  }

  std::string names_text() const {
    ListText names;
    for (std::string_view name : archive_.names()) {
      if (name.ends_with(".npy")) name.remove_suffix(4);
      names.add(printable(name));
    }
    return names.empty() ? "no arrays" : names.text();
  }

  template <class T>
  Numbers<T> array(std::string_view name, std::string_view suffix) {
    const std::string whole = fmt::format("{}{}", name, suffix);
    return numbers_of<T>(bytes_of(whole), whole);
  }

  NumbersOrTexts numbers_or_texts(std::string_view name, std::string_view suffix) {
    const std::string whole = fmt::format("{}{}", name, suffix);
    const std::vector<std::byte> bytes = bytes_of(whole);
    std::optional<io::NpyTexts> found =
        io::npy_texts_of(bytes, fmt::format("{}: {}", path_, whole));
    if (!found) return {numbers_of<double>(bytes, whole)};
    NumbersOrTexts result{{.name = whole, .shape = std::move(found->shape), .values = {}}, true};
    result.values.reserve(found->codes.size());
    for (const std::uint32_t code : found->codes)
      result.values.push_back(
          is_missing(found->texts[code]) ? std::numeric_limits<double>::quiet_NaN() : code);
    result.texts = std::move(found->texts);
    return result;
  }

  std::vector<std::byte> bytes_of(const std::string& whole) {
    used_.push_back(whole + ".npy");
    // The bytes, their numbers, and the series made of them are in memory at once.
    return archive_.read(used_.back(), std::min(kLargestNpz, machine_memory() / 3));
  }

  template <class T>
  Numbers<T> numbers_of(std::span<const std::byte> bytes, const std::string& whole) const {
    io::NpyArray found = io::npy_of(bytes, fmt::format("{}: {}", path_, whole));
    Numbers<T> numbers{.name = whole, .shape = std::move(found.shape), .values = {}};
    const io::ArrayView view{whole, found.type, numbers.shape, found.data};
    numbers.values = io::floats_of<T>(view);
    return numbers;
  }

  /// "X[3, 17, 0]"
  template <class T>
  static std::string place(const Numbers<T>& numbers, std::int64_t at) {
    return numbers.name + io::index_text(static_cast<std::size_t>(at), numbers.shape);
  }

  /// Refuses an array of another shape.
  template <class T>
  [[noreturn]] void refuse_shape(const Numbers<T>& given, std::string_view expected) const {
    throw ShapeError("data", fmt::format("{}: {} has shape ({}), expected {}", path_, given.name,
                                         fmt::join(given.shape, ", "), expected));
  }

  void read_part(const PartOfArchive& part) {
    const Numbers<float> x = array<float>("X", part.suffix);
    const bool flat = x.shape.size() == 2;
    if (!flat && x.shape.size() != 3) refuse_shape(x, "(N, T) or (N, T, I)");
    if (std::ranges::find(x.shape, 0) != x.shape.end()) refuse_shape(x, "sizes above 0");
    const std::int64_t count = x.shape[0], steps = x.shape[1], features = flat ? 1 : x.shape[2];
    if (features_ == 0) features_ = features;
    if (features != features_)
      refuse_shape(x, fmt::format("{} features, as X_train has", features_));
    const std::vector<std::int64_t> lengths = read_lengths(part, x, count, steps, features);
    for (std::int64_t n = 0; n < count; ++n) {
      const auto first = x.values.begin() + n * steps * features;
      const std::int64_t length = lengths[static_cast<std::size_t>(n)];
      result_.values.insert(result_.values.end(), first, first + length * features);
      result_.names.push_back(fmt::format("{}", n + 1));
    }
    check_finite(x);
    result_.lengths.insert(result_.lengths.end(), lengths.begin(), lengths.end());
    read_targets(part, lengths, steps);
    read_groups(part, count);
  }

  void check_finite(const Numbers<float>& x) const {
    const auto infinite = std::ranges::find_if(x.values, [](float v) { return std::isinf(v); });
    if (infinite != x.values.end())
      fail(fmt::format("{} is infinite, or beyond f32; write NaN for a missing value",
                       place(x, infinite - x.values.begin())));
  }

  std::vector<std::int64_t> read_lengths(const PartOfArchive& part, const Numbers<float>& x,
                                         std::int64_t count, std::int64_t steps,
                                         std::int64_t features) {
    std::vector<std::int64_t> lengths;
    if (has("lengths", part.suffix)) {
      const Numbers<double> given = array<double>("lengths", part.suffix);
      if (given.shape != std::vector{count}) refuse_shape(given, fmt::format("({})", count));
      for (std::size_t n = 0; n < given.values.size(); ++n) {
        const double length = given.values[n];
        if (!(length >= 1 && length <= static_cast<double>(steps)) || length != std::floor(length))
          fail(fmt::format("{}[{}] is {}, expected a whole number from 1 to {}", given.name, n,
                           length, steps));
        lengths.push_back(static_cast<std::int64_t>(length));
      }
      return lengths;
    }
    for (std::int64_t n = 0; n < count; ++n) {
      const float* const series = x.values.data() + n * steps * features;
      std::int64_t length = steps * features;
      while (length > 0 && std::isnan(series[length - 1])) --length;
      if (length == 0) fail(fmt::format("{}[{}] has only NaN; delete the series", x.name, n));
      length = (length + features - 1) / features;
      if (length < steps) ++shortened_;
      lengths.push_back(length);
    }
    return lengths;
  }

  void read_targets(const PartOfArchive& part, const std::vector<std::int64_t>& lengths,
                    std::int64_t steps) {
    const bool is_first = result_.lengths.size() == lengths.size();
    if (!is_first && has("y", part.suffix) != (targets_of_series_ > 0))
      fail(fmt::format("it has y_train or y{} without the other; save both", part.suffix));
    if (!has("y", part.suffix)) {
      if (targets_ == Targets::needed)
        fail(fmt::format("it has no y{}; training needs the classes or targets of the series",
                         part.suffix));
      return;
    }
    const NumbersOrTexts y = numbers_or_texts("y", part.suffix);
    if (y.has_texts && settings_.task == Task::regress)
      fail(
          fmt::format("{} has texts, expected numbers for --task regress; give --task classify for "
                      "classes",
                      y.name));
    const auto count = static_cast<std::int64_t>(lengths.size());
    const bool every_step = settings_.task == Task::label;
    const std::int64_t width = every_step ? 1 : y.shape.size() == 2 ? y.shape[1] : 1;
    if (every_step) {
      if (y.shape != std::vector{count, steps})
        refuse_shape(y, fmt::format("({}, {}), a class for each step", count, steps));
    } else if (y.shape.empty() || y.shape[0] != count || y.shape.size() > 2 || width == 0) {
      refuse_shape(y, fmt::format("({}) or ({}, M)", count, count));
    }
    if (settings_.task == Task::classify && width != 1)
      refuse_shape(y, fmt::format("({}), one class for each series", count));
    if (targets_of_series_ == 0) targets_of_series_ = width;
    if (width != targets_of_series_)
      refuse_shape(y, fmt::format("({}, {}), as y_train", count, targets_of_series_));
    for (std::size_t n = 0; n < lengths.size(); ++n) {
      const std::int64_t length = every_step ? lengths[n] : width;
      const std::int64_t first = static_cast<std::int64_t>(n) * (every_step ? steps : width);
      for (std::int64_t i = first; i < first + length; ++i)
        result_.targets.push_back(target_of(y, i));
    }
  }

  float target_of(const NumbersOrTexts& y, std::int64_t at) {
    const double value = y.values[static_cast<std::size_t>(at)];
    if (std::isnan(value)) return std::numeric_limits<float>::quiet_NaN();
    if (y.has_texts) return class_of(y.texts[static_cast<std::size_t>(value)]);
    if (settings_.task == Task::regress) {
      const auto target = static_cast<float>(value);
      if (std::isinf(target))
        fail(
            fmt::format("{} is {}, expected a number of at most 3.4e38 in size; write NaN for a "
                        "missing one",
                        place(y, at), value));
      return target;
    }
    constexpr double kLargestClass = 1 << 24;
    if (value != std::floor(value) || std::abs(value) > kLargestClass)
      fail(
          fmt::format("{} is {}, expected a whole number for --task {}; give --task regress for "
                      "numbers",
                      place(y, at), value, name_of(settings_.task)));
    return class_of(fmt::format("{}", static_cast<std::int64_t>(value)));
  }

  float class_of(const std::string& name) {
    const auto [found, is_new] = class_numbers_.emplace(name, class_numbers_.size());
    if (is_new) classes_.push_back(name);
    return static_cast<float>(found->second);
  }

  void read_groups(const PartOfArchive& part, std::int64_t count) {
    if (!has("groups", part.suffix)) {
      if (!result_.groups.empty()) fail(fmt::format("it has groups, but no groups{}", part.suffix));
      return;
    }
    const NumbersOrTexts groups = numbers_or_texts("groups", part.suffix);
    if (groups.shape != std::vector{count}) refuse_shape(groups, fmt::format("({})", count));
    if (result_.groups.size() + groups.values.size() != result_.lengths.size())
      fail(fmt::format("it has {}, but not groups_train", groups.name));
    constexpr double kExact = 1LL << 53;
    for (const double group : groups.values) {
      if (groups.has_texts && !std::isnan(group)) {
        result_.groups.push_back(groups.texts[static_cast<std::size_t>(group)]);
        continue;
      }
      if (group != std::floor(group) || !(std::abs(group) <= kExact))
        fail(fmt::format("{} has {}, expected whole numbers or texts", groups.name,
                         groups.has_texts ? "a missing text" : fmt::format("{}", group)));
      result_.groups.push_back(fmt::format("{}", static_cast<std::int64_t>(group)));
    }
  }

  const std::string& path_;
  const SeriesSettings& settings_;
  Targets targets_;
  std::vector<std::byte> bytes_;
  ZipArchive archive_;
  Recordings result_;
  std::vector<std::string> used_;  // entries of the archive
  std::int64_t features_ = 0, targets_of_series_ = 0, shortened_ = 0;
  std::unordered_map<std::string, std::size_t> class_numbers_;
  std::vector<std::string> classes_;
};

}  // namespace

Recordings read_npz_recordings(const std::string& path, SeriesSettings& settings, Targets targets) {
  refuse_table_settings(path, settings, "the columns of an .npz file are x_0, x_1, ...");
  if (settings.task == Task::automatic)
    throw ValueError("data",
                     fmt::format("{}: --task is missing, and arrays don't say what to learn; "
                                 "give classify (a class for each series), regress "
                                 "(numbers) or label (a class at every step)",
                                 path));
  Recordings read = NpzReader(path, settings, targets).read();
  if (!read.target_columns.empty()) {
    std::vector<std::string> names;
    for (const RecordedColumn& column : read.target_columns) names.push_back(column.name);
    if (!settings.target.empty() && settings.target != names)
      throw ValueError("data",
                       fmt::format("--target is {}, but the target of {} is called {}; "
                                   "leave --target out",
                                   fmt::join(settings.target, ","), path, fmt::join(names, ",")));
    settings.target = std::move(names);
  }
  choose_columns(path, settings, read);
  return read;
}

}  // namespace unroll::data
