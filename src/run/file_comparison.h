// Compares the files of a run with the files that training it again makes.
#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/folder.h"
#include "run/manifest.h"

namespace unroll::run {

/// One result of a comparison, as a sentence without its full stop.
struct Finding {
  std::string text;
  bool good = false;  ///< false: a file differs from what training makes
};
/// Called for each finding as soon as it is made.
using Found = std::function<void(const Finding&)>;

/// Compares files by their bytes, one by one, and remembers which files it compared. Folder and
/// manifest must outlive it.
class FileComparison {
 public:
  FileComparison(const Folder& folder, const Manifest& manifest, Found found)
      : folder_(folder), manifest_(manifest), found_(std::move(found)) {}

  bool lists(const std::string& name) const { return manifest_.lists(name); }

  /// Whether the file consists of the bytes `again`. If not, a finding names the first difference.
  bool compare(const std::string& name, std::vector<std::byte> again);
  /// Compares a file of a single step. It is a bad finding if the manifest does not list the file.
  void compare_step(const std::string& name, std::vector<std::byte> again);
  /// Finds files in the manifest that training did not make. Counts the files of steps that are the
  /// same.
  void finish_steps();

 private:
  const Folder& folder_;
  const Manifest& manifest_;
  Found found_;
  std::set<std::string> compared_;
  int same_steps_ = 0;
};

}  // namespace unroll::run
