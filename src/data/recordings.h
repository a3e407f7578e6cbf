// Series as their files have them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/data/dataset.h"
#include "unroll/data/series_settings.h"

namespace unroll::data {

/// A column of numbers or of texts.
struct RecordedColumn {
  std::string name;
  /// The texts of a text column, in any order; its values are indices into them. Empty: numbers.
  std::vector<std::string> texts = {};

  bool is_text() const { return !texts.empty(); }
};

/// A file that was read.
struct RecordedFile {
  std::string role;  ///< "train", "validation" or "test"; "all" if a split follows
  std::string path;  ///< as it was given
  std::uint64_t bytes = 0;
  std::string sha256;  ///< of the file
};

/// f32 has all whole numbers up to this one: so many different texts a column can have.
inline constexpr std::size_t most_texts = std::size_t{1} << 24;

/// Series one after the other, in raw units: nothing is split, scaled or encoded yet. A missing
/// value is NaN.
struct Recordings {
  std::string name;                     ///< of the data set, for results and models
  std::vector<RecordedFile> files;      ///< what they were read from
  SeriesSettings settings;              ///< resolved as far as reading goes
  std::vector<RecordedColumn> columns;  ///< C inputs
  std::vector<float> values;            ///< (sum of T_k, C)
  std::vector<std::int64_t> lengths;    ///< T_k of each series, at least 1
  std::vector<std::string> names;       ///< of the series, all different in a file
  std::vector<std::string> groups;      ///< of each series; empty: none are given
  /// The part of each series, if files or a column say it; empty: a split decides for all.
  std::vector<std::optional<Split>> parts;
  /// The value that each series has in the column that read_recordings() was asked for; else empty.
  std::vector<std::string> by;

  std::vector<RecordedColumn> target_columns;  ///< M; for classes one column of texts
  bool target_at_every_step = false;
  std::vector<float> targets;      ///< (count, M), or (sum of T_k, M) at every step
  std::vector<std::string> notes;  ///< what reading inferred, a line each: "separator: comma"

  std::int64_t count() const { return static_cast<std::int64_t>(lengths.size()); }
};

/// Whether series may lack their targets: for a model that is trained already.
enum class Targets { needed, optional };

/// Reads the file `path`, and the files that settings.test and settings.validate name, by their
/// endings. A file without parts has `parts` empty; with several files each series has its part.
/// The columns of all files are those of the first one. `texts`: columns of tables that are texts
/// even if all their values are numbers. `by`: a column for Recordings::by. It is constant in a
/// series, and needs no other role; for arrays it is "groups".
/// Throws ValueError for settings that do not suit the file, FormatError for damage, FileError.
Recordings read_recordings(const std::string& path, const SeriesSettings& settings,
                           Targets targets = Targets::needed,
                           const std::vector<std::string>& texts = {}, const std::string& by = {});

/// Whether SeriesSettings::test or ::validate is the path of a file.
bool names_file(std::string_view part);

/// The task that a file states by itself, before it is read: from the header of a .ts file, or the
/// settings. Task::automatic if it states none.
Task task_of(const std::string& path, const SeriesSettings& settings);

}  // namespace unroll::data
