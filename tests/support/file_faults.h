// Faults of the operating system, at a chosen one of the calls that change files.
#pragma once

#include <cstddef>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace unroll::test {

/// While it lives, the calls behind core/file.h are counted, and fail as told. One at a time.
class FileFaults {
 public:
  struct Plan {
    static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();
    std::size_t at = never;          ///< which call, from 0
    int error = 0;                   ///< what it fails with
    bool kill = false;               ///< instead: SIGKILL before it
    std::size_t most_bytes = never;  ///< that any write takes at once
  };

  FileFaults() : FileFaults(Plan()) {}
  explicit FileFaults(const Plan& plan);
  ~FileFaults();
  FileFaults(const FileFaults&) = delete;
  FileFaults& operator=(const FileFaults&) = delete;

  const std::vector<std::string>& calls() const;  ///< their names, so far
};

/// The names of the files in a folder.
std::set<std::string> files_in(const std::string& folder);

}  // namespace unroll::test
