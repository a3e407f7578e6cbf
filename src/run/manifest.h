// manifest.json: what the files of a run's folder must be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/folder.h"

namespace unroll::run {

/// What a file is. An empty one stands for no file at all.
struct FileHash {
  std::uint64_t bytes = 0;
  std::string sha256;
  friend bool operator==(const FileHash&, const FileHash&) = default;
};

FileHash hash_of(std::span<const std::byte> content);

/// Where a run is. Only one that goes on has files that are not listed: metrics.jsonl, which grows.
enum class RunStatus { training, interrupted, finished, diverged };
std::string_view name_of(RunStatus status);

/// Size and SHA-256 of each file of a run's folder. Its text ends with the SHA-256 of what stands
/// before: a bit that flips in it is found as surely as one in a file.
class Manifest {
 public:
  static constexpr const char* file_name = "manifest.json";

  /// That of a folder; nothing where there is none. Throws FormatError for a damaged one,
  /// FileError.
  static std::optional<Manifest> read(const Folder& folder);
  void write(const Folder& folder) const;

  RunStatus status = RunStatus::training;
  std::int64_t step =
      0;  ///< that model.safetensors was written after, of a run that does not go on

  /// What each file of the run may be. Two while it is being replaced: the old content and the new
  /// one. No file at all is one of them while it is written for the first time, or removed: so
  /// every file that the run has ever made is listed, and nobody else's is.
  std::map<std::string, std::vector<FileHash>> files;

  bool lists(const std::string& name) const { return files.contains(name); }
  /// Whether a file that is listed may be missing.
  bool may_be_missing(const std::string& name) const;
  /// Whether a file is as listed. One that can't be read is not.
  bool is_intact(const Folder& folder, const std::string& name) const;
  /// The files that are not as listed, and what is wrong with each: "is missing", ...
  std::map<std::string, std::string> damage(const Folder& folder) const;
  /// The content of a file that is listed. Throws FormatError where it is not as listed, FileError.
  std::vector<std::byte> load(const Folder& folder, const std::string& name) const;

 private:
  std::string text() const;
};

}  // namespace unroll::run
