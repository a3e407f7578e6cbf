// manifest.json: the sizes and hashes that the files of a run's folder must have.
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

/// Size and hash of a file's content. A default FileHash stands for "no file".
struct FileHash {
  std::uint64_t bytes = 0;
  std::string sha256;
  friend bool operator==(const FileHash&, const FileHash&) = default;
};

FileHash hash_of(std::span<const std::byte> content);

/// The state of a run. While it is training, metrics.jsonl is not listed, because it grows.
enum class RunStatus { training, interrupted, finished, diverged };
std::string_view name_of(RunStatus status);

/// Size and SHA-256 of each file of a run's folder. The manifest's last line is the SHA-256 of its
/// own text, so a flipped bit in the manifest is found as well.
class Manifest {
 public:
  static constexpr const char* file_name = "manifest.json";

  /// Reads a folder's manifest; nullopt if there is none. Throws FormatError if it is damaged,
  /// FileError if it can't be read.
  static std::optional<Manifest> read(const Folder& folder);
  void write(const Folder& folder) const;

  RunStatus status = RunStatus::training;
  std::int64_t step = 0;  ///< the step of model.safetensors, unless the run is training

  /// The contents that each file of the run may have. While a file is being replaced there are two:
  /// the old content and the new one. While a file is written for the first time, or removed, one
  /// of them is "no file". So the manifest lists every file of the run at every moment, and no
  /// other files.
  std::map<std::string, std::vector<FileHash>> files;

  bool lists(const std::string& name) const { return files.contains(name); }
  /// Whether a listed file may be missing.
  bool may_be_missing(const std::string& name) const;
  /// Whether a file is as listed; false if it can't be read.
  bool is_intact(const Folder& folder, const std::string& name) const;
  /// The files that are not as listed, each with its fault: "is missing", ...
  std::map<std::string, std::string> damage(const Folder& folder) const;
  /// Reads a listed file. Throws FormatError if it is not as listed, FileError if it can't be read.
  std::vector<std::byte> load(const Folder& folder, const std::string& name) const;

 private:
  std::string text() const;
};

}  // namespace unroll::run
