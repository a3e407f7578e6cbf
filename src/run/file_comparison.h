// Comparing the files of a run with those that training it again gives.
#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/folder.h"
#include "run/manifest.h"

namespace unroll::run {

/// What a comparison found, as a sentence without its full stop.
struct Finding {
  std::string text;
  bool good = false;  ///< false: something is not as training gives it
};
/// Hears of each finding when it is made.
using Found = std::function<void(const Finding&)>;

/// Compares files by their bytes, one by one, and remembers which. Folder and manifest must outlive
/// it.
class FileComparison {
 public:
  FileComparison(const Folder& folder, const Manifest& manifest, Found found)
      : folder_(folder), manifest_(manifest), found_(std::move(found)) {}

  bool lists(const std::string& name) const { return manifest_.lists(name); }

  /// Whether the file has the bytes `again`. A finding says where it does not.
  bool compare(const std::string& name, std::vector<std::byte> again);
  /// The same of a file of a single step, which the manifest must list.
  void compare_step(const std::string& name, std::vector<std::byte> again);
  /// Findings of all steps' files: how many are the same, and files of the manifest that training
  /// did not give.
  void finish_steps();

 private:
  const Folder& folder_;
  const Manifest& manifest_;
  Found found_;
  std::set<std::string> compared_;
  int same_steps_ = 0;
};

}  // namespace unroll::run
