#include "data/ts_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/file_kind.h"
#include "core/list_text.h"
#include "core/printable.h"
#include "core/suggest.h"
#include "data/table_faults.h"
#include "data/table_value.h"
#include "data/text_file.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

constexpr std::int64_t kMostDimensions = 65536;
constexpr float kMissingValue = std::numeric_limits<float>::quiet_NaN();

/// The lines of a text, with numbers from 1.
class TsLines {
 public:
  TsLines(const std::string& path, std::string_view text) : path_(path), rest_(text) {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
  }

  /// The next line that is neither empty nor a comment, without blanks at its ends.
  std::optional<std::string_view> next() {
    while (!rest_.empty()) {
      const auto end = std::min(rest_.find('\n'), rest_.size());
      std::string_view line = rest_.substr(0, end);
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      ++number_;
      if (line.ends_with('\r')) line.remove_suffix(1);
      line = without_blanks(line);
      if (!line.empty() && line.front() != '#') return line;
    }
    return {};
  }

  /// Refuses the line that next() gave.
  [[noreturn]] void fail(std::string_view what) const {
    throw FormatError("data", fmt::format("{}:{}: {}", path_, number_, what));
  }

 private:
  std::string path_;
  std::string_view rest_;
  std::int64_t number_ = 0;
};

/// What stands before @data. Nothing: the file does not say.
struct TsHeader {
  std::optional<bool> timestamps, missing, univariate, equal_length, class_label, target_label;
  std::optional<std::int64_t> dimensions, length;
  std::vector<std::string> classes;

  bool labelled() const { return class_label == true || target_label == true; }
};

constexpr std::array<std::string_view, 11> kFields = {
    "problemName", "timeStamps",   "missing",    "univariate",  "dimension", "dimensions",
    "equalLength", "seriesLength", "classLabel", "targetLabel", "data"};

/// The first word of `text`, which loses it.
std::string_view take_word(std::string_view& text) {
  text = without_blanks(text);
  const auto end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text = without_blanks(text.substr(end));
  return word;
}

bool flag_of(const TsLines& lines, std::string_view field, std::string_view word) {
  if (same_word(word, "true")) return true;
  if (same_word(word, "false")) return false;
  lines.fail(fmt::format("@{} is {}, expected true or false", field, in_quotes(word)));
}

std::int64_t size_of(const TsLines& lines, std::string_view field, std::string_view word,
                     std::int64_t most) {
  std::int64_t size = 0;
  const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), size);
  if (error != std::errc() || rest != word.data() + word.size() || size < 1 || size > most)
    lines.fail(fmt::format("@{} is {}, expected a whole number from 1 to {}", field,
                           in_quotes(word), most));
  return size;
}

template <class T>
void set_once(const TsLines& lines, std::string_view field, std::optional<T>& member, T value) {
  if (member) lines.fail(fmt::format("@{} stands twice in the header; delete one", field));
  member = value;
}

void read_classes(const TsLines& lines, std::string_view words, TsHeader& header) {
  if (header.class_label == false) {
    if (!words.empty())
      lines.fail(fmt::format("@classLabel is false, but classes follow: {}; write true",
                             in_quotes(words)));
    return;
  }
  if (!is_utf8(words))
    lines.fail(
        fmt::format("@classLabel lists {}, which is not UTF-8; convert the file: iconv -f "
                    "LATIN1 -t UTF-8",
                    in_quotes(words)));
  if (words.find('\0') != words.npos)
    lines.fail("@classLabel lists a class with a zero byte; is the file damaged?");
  while (!words.empty()) header.classes.emplace_back(take_word(words));
  if (header.classes.empty())
    lines.fail("@classLabel is true, but no classes follow; list them: @classLabel true yes no");
  std::vector<std::string> sorted = header.classes;
  std::ranges::sort(sorted);
  if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end())
    lines.fail(fmt::format("@classLabel lists {} twice; delete one", in_quotes(*twice)));
}

/// Reads one line of the header. False at @data.
bool read_field(const TsLines& lines, std::string_view line, TsHeader& header) {
  if (line.front() != '@')
    lines.fail(
        fmt::format("{}, expected a line of the header such as @univariate true, or @data; "
                    "is this a .ts file?",
                    in_quotes(line.substr(0, 40))));
  std::string_view rest = line.substr(1);
  const std::string_view given = take_word(rest);
  const auto found =
      std::ranges::find_if(kFields, [&](std::string_view name) { return same_word(name, given); });
  if (found == kFields.end())
    lines.fail(fmt::format("@{} is no field of a .ts header{}; delete the line", printable(given),
                           did_you_mean(given, kFields)));
  const std::string_view field = *found;
  if (field == "problemName") return true;
  if (field == "data") return false;
  const std::string_view word = take_word(rest);
  const auto flag = [&](std::optional<bool>& member) {
    set_once(lines, field, member, flag_of(lines, field, word));
  };
  if (field == "timeStamps") {
    flag(header.timestamps);
    if (*header.timestamps)
      lines.fail(
          "@timeStamps is true; Unroll reads series without timestamps, expected false; "
          "write a CSV file with a column for --time");
  } else if (field == "missing") {
    flag(header.missing);
  } else if (field == "univariate") {
    flag(header.univariate);
  } else if (field == "equalLength") {
    flag(header.equal_length);
  } else if (field == "targetLabel") {
    flag(header.target_label);
  } else if (field == "classLabel") {
    flag(header.class_label);
    read_classes(lines, rest, header);
  } else if (field == "seriesLength") {
    set_once(lines, field, header.length,
             size_of(lines, field, word, std::numeric_limits<std::int32_t>::max()));
  } else {
    set_once(lines, "dimensions", header.dimensions, size_of(lines, field, word, kMostDimensions));
  }
  return true;
}

/// Reads the header with its @data, and checks that its fields agree.
TsHeader read_header(TsLines& lines, const std::string& path) {
  TsHeader header;
  while (true) {
    const auto line = lines.next();
    if (!line)
      throw FormatError("data",
                        fmt::format("{} ends before @data; it is truncated, or no .ts file", path));
    if (!read_field(lines, *line, header)) break;
  }
  if (header.class_label == true && header.target_label == true)
    lines.fail("@classLabel and @targetLabel are both true, expected one of them");
  if (header.univariate == true && header.dimensions.value_or(1) != 1)
    lines.fail(fmt::format("@univariate is true, but @dimensions is {}; write @univariate false",
                           *header.dimensions));
  if (header.univariate == false && header.dimensions == 1)
    lines.fail("@univariate is false, but @dimensions is 1; write @univariate true");
  if (header.equal_length == false && header.length)
    lines.fail(fmt::format("@equalLength is false, but @seriesLength is {}; delete one of them",
                           *header.length));
  if (header.univariate == true) header.dimensions = 1;
  return header;
}

void check_is_ts(const std::string& path, std::string_view content) {
  const auto kind = file_kind(std::as_bytes(std::span(content)));
  if (kind && !kind->is_text)
    throw FormatError("data", wrong_kind(path, *kind, "a .ts file", "give a .ts file"));
}

/// Where a value stands, for errors: "value 7 of dim_0".
struct TsPlace {
  std::int64_t dimension = 0, step = 0;
};

std::string text_of(const TsPlace& place) {
  return fmt::format("value {} of dim_{}", place.step + 1, place.dimension);
}

std::string_view expected(const TableValue& value) {
  return value.kind == ValueKind::out_of_range ? "a number of at most 3.4e38 in size" : "a number";
}

bool is_missing_mark(std::string_view text) { return text == "?" || same_word(text, "nan"); }

float read_value(const TsLines& lines, const TsHeader& header, const TsPlace& place,
                 std::string_view text) {
  const TableValue value = table_value(text, '.');
  if (value.kind == ValueKind::number) return value.number;
  text = without_blanks(text);
  if (is_missing_mark(text)) {
    if (header.missing == false)
      lines.fail(
          fmt::format("{} is missing ({}), but the header says @missing false; correct one "
                      "of them",
                      text_of(place), in_quotes(text)));
    return kMissingValue;
  }
  if (text.starts_with('('))
    lines.fail(
        fmt::format("{} is {}, a value with a timestamp, expected a number; write a CSV "
                    "file with a column for --time",
                    text_of(place), shown_value(text)));
  lines.fail(fmt::format("{} is {}, expected {}; write ? for a missing value", text_of(place),
                         shown_value(text), expected(value)));
}

class TsReader {
 public:
  TsReader(const std::string& path, std::string_view content)
      : lines_(path, content), header_(read_header(lines_, path)) {}

  Recordings read(const std::string& path) {
    for (std::size_t i = 0; i < header_.classes.size(); ++i)
      classes_.emplace(header_.classes[i], static_cast<float>(i));
    while (const auto line = lines_.next()) read_series(*line);
    if (result_.lengths.empty())
      throw FormatError("data", fmt::format("{} has no series after @data; it is truncated", path));
    for (std::int64_t d = 0; d < *header_.dimensions; ++d)
      result_.columns.push_back({.name = fmt::format("dim_{}", d)});
    if (header_.class_label == true)
      result_.target_columns = {{.name = "class", .texts = header_.classes}};
    if (header_.target_label == true) result_.target_columns = {{.name = "target"}};
    return std::move(result_);
  }

 private:
  void read_series(std::string_view line) {
    pieces_.clear();
    while (true) {
      const auto end = std::min(line.find(':'), line.size());
      pieces_.push_back(line.substr(0, end));
      if (end == line.size()) break;
      line.remove_prefix(end + 1);
    }
    std::string_view label;
    if (header_.labelled()) {
      if (pieces_.size() < 2)
        lines_.fail(fmt::format("the series has no label, expected VALUE,VALUE,...:{} at the end",
                                header_.class_label == true ? "CLASS" : "TARGET"));
      label = without_blanks(pieces_.back());
      pieces_.pop_back();
    }
    const auto dimensions = static_cast<std::int64_t>(pieces_.size());
    if (!header_.dimensions) header_.dimensions = dimensions;
    if (dimensions != *header_.dimensions)
      lines_.fail(
          fmt::format("the series has {} dimension{}, expected {} as {}; separate "
                      "dimensions by ':'{}",
                      dimensions, dimensions == 1 ? "" : "s", *header_.dimensions,
                      result_.lengths.empty() ? "the header says" : "before",
                      header_.labelled() ? ", and put the label last" : ""));
    const std::int64_t steps = count_steps();
    check_length(steps);
    const auto start = result_.values.size();
    result_.values.resize(start + static_cast<std::size_t>(steps * dimensions));
    for (std::int64_t d = 0; d < dimensions; ++d) read_dimension(d, start);
    result_.lengths.push_back(steps);
    result_.names.push_back(fmt::format("{}", result_.lengths.size()));
    if (header_.labelled()) result_.targets.push_back(read_label(label));
  }

  /// The number of values of each dimension. It is known before memory is asked for.
  std::int64_t count_steps() const {
    const std::int64_t steps = std::ranges::count(pieces_[0], ',') + 1;
    for (std::size_t d = 1; d < pieces_.size(); ++d)
      if (const std::int64_t here = std::ranges::count(pieces_[d], ',') + 1; here != steps)
        lines_.fail(
            fmt::format("dim_{} has {} values, dim_0 has {}; all dimensions of a series "
                        "must have the same length",
                        d, here, steps));
    return steps;
  }

  /// Puts the values of a dimension into (T, C) from `start`.
  void read_dimension(std::int64_t dimension, std::size_t start) {
    const auto width = static_cast<std::size_t>(*header_.dimensions);
    std::string_view text = pieces_[static_cast<std::size_t>(dimension)];
    TsPlace place{.dimension = dimension};
    for (std::size_t to = start + static_cast<std::size_t>(dimension);; to += width) {
      const auto end = std::min(text.find(','), text.size());
      result_.values[to] = read_value(lines_, header_, place, text.substr(0, end));
      if (end == text.size()) return;
      ++place.step;
      text.remove_prefix(end + 1);
    }
  }

  void check_length(std::int64_t steps) const {
    const std::int64_t first = result_.lengths.empty() ? steps : result_.lengths.front();
    if (header_.length && steps != *header_.length)
      lines_.fail(
          fmt::format("the series has {} steps, but @seriesLength is {}; correct the "
                      "header",
                      steps, *header_.length));
    if (header_.equal_length == true && steps != first)
      lines_.fail(
          fmt::format("the series has {} steps, the first one {}, but @equalLength is "
                      "true; correct the header",
                      steps, first));
  }

  float read_label(std::string_view label) const {
    if (header_.class_label == true) {
      const auto found = classes_.find(label);
      if (found == classes_.end()) {
        ListText classes;
        for (const std::string& name : header_.classes) classes.add(name);
        lines_.fail(fmt::format("the class is {}, expected one of @classLabel: {}",
                                in_quotes(label), classes.text()));
      }
      return found->second;
    }
    if (is_missing_mark(label)) return kMissingValue;
    const TableValue value = table_value(label, '.');
    if (value.kind != ValueKind::number)
      lines_.fail(fmt::format("the target is {}, expected {}; write ? for a missing one",
                              shown_value(label), expected(value)));
    return value.number;
  }

  TsLines lines_;
  TsHeader header_;
  std::unordered_map<std::string_view, float> classes_;
  std::vector<std::string_view> pieces_;
  Recordings result_;
};

}  // namespace

Task ts_task(const std::string& path) {
  constexpr std::size_t kLongestHeader = 1 << 20;
  const std::string start = read_content(path, kLongestHeader);
  check_is_ts(path, start);
  TsLines lines(path, start);
  const TsHeader header = read_header(lines, path);
  if (header.class_label == true) return Task::classify;
  if (header.target_label == true) return Task::regress;
  return Task::automatic;
}

Recordings read_ts(const std::string& path) {
  const std::string content = read_content(path);
  check_is_ts(path, content);
  return TsReader(path, content).read(path);
}

}  // namespace unroll::data
