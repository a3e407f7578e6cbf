#include "data/recordings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/printable.h"
#include "data/npz_recordings.h"
#include "data/table_recordings.h"
#include "data/text_file.h"
#include "data/ts_file.h"
#include "data/ts_recordings.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

std::string_view without_gz(std::string_view path) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  return path;
}

bool is_ts(std::string_view path) { return without_gz(path).ends_with(".ts"); }

/// "Gestures" for "sets/Gestures_TRAIN.ts.gz".
std::string name_of_set(const std::string& path) {
  std::string name = std::filesystem::path(without_gz(path)).stem().string();
  if (constexpr std::string_view kTrain = "_TRAIN"; name.ends_with(kTrain))
    name.resize(name.size() - kTrain.size());
  return name;
}

/// The file X_TEST.ts beside X_TRAIN.ts; empty if there is none.
std::string test_file_beside(const std::string& path) {
  constexpr std::string_view kTrain = "_TRAIN.ts";
  const std::string_view file = without_gz(path);
  if (!file.ends_with(kTrain)) return {};
  const std::string start(file.substr(0, file.size() - kTrain.size()));
  for (const std::string_view end : {"_TEST.ts", "_TEST.ts.gz"}) {
    std::string found = start + std::string(end);
    if (std::error_code ignored; std::filesystem::exists(found, ignored)) return found;
  }
  return {};
}

/// A file to read, and the part that its series are. Nothing: a split decides.
struct FileToRead {
  std::string path, role;
  std::optional<Split> part = {};
};

std::vector<FileToRead> files_to_read(const std::string& path, const SeriesSettings& settings) {
  std::vector<FileToRead> files = {{path, "all"}};
  if (names_file(settings.validate))
    files.push_back({settings.validate, "validation", Split::validation});
  if (names_file(settings.test)) files.push_back({settings.test, "test", Split::test});
  if (files.size() > 1) files[0].role = "train";
  return files;
}

void refuse_same_file(const RecordedFile& a, const RecordedFile& b) {
  throw ValueError("data", fmt::format("{} ({}) and {} ({}) have the same content; a part that "
                                       "is also another part proves nothing, give another file",
                                       a.path, a.role, b.path, b.role));
}

[[noreturn]] void refuse_by(const std::string& path, const std::string& by,
                            std::string_view remedy) {
  throw ValueError("data", fmt::format("{} has no column {} that series could be grouped by; {}",
                                       path, in_quotes(by), remedy));
}

/// Reads one file. `first`: the one before it, or null.
Recordings read_one(const std::string& path, SeriesSettings& settings, Targets targets,
                    const std::vector<std::string>& texts, const std::string& by,
                    const Recordings* first) {
  if (is_ts(path)) {
    if (!by.empty()) refuse_by(path, by, "leave --by out, or use a table");
    return read_ts_recordings(path, settings, targets);
  }
  if (without_gz(path).ends_with(".npz")) {
    Recordings read = read_npz_recordings(path, settings, targets);
    if (by.empty()) return read;
    if (by != "groups") refuse_by(path, by, "give --by groups, for its array `groups`");
    if (read.groups.empty()) refuse_by(path, by, "save an array `groups`");
    read.by = read.groups;
    return read;
  }
  return read_table_recordings(path, settings, targets, texts, first, by);
}

// ---- Several files become one.

/// Makes the texts of `more` part of those of `all`. Returns the new number of each text.
std::vector<float> join_texts(std::vector<std::string>& all, const std::vector<std::string>& more) {
  std::unordered_map<std::string, std::size_t> numbers;
  for (std::size_t i = 0; i < all.size(); ++i) numbers.emplace(all[i], i);
  std::vector<float> renumbered;
  for (const std::string& text : more) {
    const auto [found, is_new] = numbers.emplace(text, all.size());
    if (is_new) all.push_back(text);
    renumbered.push_back(static_cast<float>(found->second));
  }
  return renumbered;
}

/// Appends a matrix with these columns.
void append_matrix(std::vector<RecordedColumn>& columns, std::vector<float>& values,
                   const std::vector<RecordedColumn>& more_columns,
                   const std::vector<float>& more) {
  const std::size_t width = columns.size(), start = values.size();
  values.insert(values.end(), more.begin(), more.end());
  for (std::size_t c = 0; c < width; ++c) {
    if (more_columns[c].texts.empty()) continue;
    const std::vector<float> numbers = join_texts(columns[c].texts, more_columns[c].texts);
    if (columns[c].texts.size() > most_texts)
      throw FormatError(
          "data", fmt::format("{} has {} different texts in all files, expected at "
                              "most {}; leave the column out with --ignore",
                              in_quotes(columns[c].name), columns[c].texts.size(), most_texts));
    for (std::size_t at = start + c; at < values.size(); at += width)
      if (!std::isnan(values[at])) values[at] = numbers[static_cast<std::size_t>(values[at])];
  }
}

void check_same_columns(const RecordedFile& first, const std::vector<RecordedColumn>& columns,
                        const RecordedFile& other, const std::vector<RecordedColumn>& others) {
  const auto fail = [&](std::string_view what) {
    throw FormatError("data", fmt::format("{} does not fit to {}: {}; all parts need the same "
                                          "columns",
                                          other.path, first.path, what));
  };
  if (columns.size() != others.size())
    fail(fmt::format("it has {} columns, expected {}", others.size(), columns.size()));
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i].name != others[i].name)
      fail(fmt::format("column {} is {}, expected {}", i + 1, in_quotes(others[i].name),
                       in_quotes(columns[i].name)));
}

/// Refuses a series of a table that is in two files: its rows belong to one part.
void check_other_names(const Recordings& all, const Recordings& more) {
  const std::unordered_set<std::string_view> names(all.names.begin(), all.names.end());
  for (const std::string& name : more.names)
    if (names.contains(name))
      throw ValueError("data",
                       fmt::format("series {} is in {} and in another file; a series can be in one "
                                   "part only: delete it from one file, or rename it",
                                   in_quotes(name), more.files[0].path));
}

/// Refuses groups in one file alone: nothing would say which series belong together.
void check_groups(const Recordings& all, const Recordings& more) {
  const std::string &first = all.files[0].path, &other = more.files[0].path;
  if (all.groups.empty() != more.groups.empty())
    throw FormatError("data", fmt::format("{} has groups, but {} has none; give them in all files, "
                                          "or in none",
                                          all.groups.empty() ? other : first,
                                          all.groups.empty() ? first : other));
}

void join_file(Recordings& all, Recordings&& more) {
  check_groups(all, more);
  check_same_columns(all.files[0], all.columns, more.files[0], more.columns);
  check_same_columns(all.files[0], all.target_columns, more.files[0], more.target_columns);
  append_matrix(all.columns, all.values, more.columns, more.values);
  append_matrix(all.target_columns, all.targets, more.target_columns, more.targets);
  const auto add = [](auto& to, auto& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  add(all.lengths, more.lengths);
  add(all.names, more.names);
  add(all.groups, more.groups);
  add(all.parts, more.parts);
  add(all.by, more.by);
  add(all.files, more.files);
  add(all.notes, more.notes);
}

}  // namespace

bool names_file(std::string_view part) {
  if (part.empty() || part == automatic_part || part == no_part) return false;
  for (const std::string_view start : {"groups:", "column:", "last:", "from:"})
    if (part.starts_with(start)) return false;
  if (part.ends_with('%')) part.remove_suffix(1);  // share_of() refuses it
  double share = 0;
  const char* const end = part.data() + part.size();
  const auto [rest, error] = std::from_chars(part.data(), end, share);
  return error == std::errc::invalid_argument || rest != end;
}

Recordings read_recordings(const std::string& path, const SeriesSettings& settings, Targets targets,
                           const std::vector<std::string>& texts, const std::string& by) {
  SeriesSettings resolved = settings;
  std::vector<std::string> notes;
  if (settings.test == automatic_part && settings.folds == 0 && targets == Targets::needed) {
    if (std::string beside = test_file_beside(path); !beside.empty()) {
      notes.push_back(fmt::format("test part: {}, found beside {}", beside, path));
      resolved.test = std::move(beside);
    }
  }
  std::optional<Recordings> all;
  const std::vector<FileToRead> files = files_to_read(path, resolved);
  for (const FileToRead& file : files) {
    const RecordedFile facts = recorded_file(file.path, file.role);
    if (!all) {
      all = read_one(file.path, resolved, targets, texts, by, nullptr);
      all->files = {facts};
      all->settings = resolved;
      if (files.size() > 1 && all->parts.empty()) all->parts.assign(all->lengths.size(), {});
      continue;
    }
    for (const RecordedFile& other : all->files)
      if (other.sha256 == facts.sha256) refuse_same_file(other, facts);
    SeriesSettings known = all->settings;  // the columns are known; the file is one part
    known.test = known.validate = no_part;
    if (!known.wide) known.ignore.clear();  // the features are known
    Recordings read = read_one(file.path, known, targets, texts, by, &*all);
    read.files = {facts};
    read.parts.assign(read.lengths.size(), file.part);
    if (!known.series.empty()) check_other_names(*all, read);
    join_file(*all, std::move(read));
  }
  all->name = name_of_set(path);
  all->notes.insert(all->notes.begin(), notes.begin(), notes.end());
  return std::move(*all);
}

Task task_of(const std::string& path, const SeriesSettings& settings) {
  if (!is_ts(path)) return settings.task;
  const Task stated = ts_task(path);
  return stated == Task::automatic ? settings.task : stated;
}

}  // namespace unroll::data
