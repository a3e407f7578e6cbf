// Downloads files whose size and SHA-256 are known.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unroll/core/error.h"

namespace unroll::app {

/// No mirror gave the file.
class Unreachable : public FileError {
 public:
  using FileError::FileError;
};

/// The user stopped the download.
class Cancelled : public Error {
 public:
  using Error::Error;
};

struct DownloadOptions {
  int connect_seconds = 10;
  int stall_seconds = 20;         ///< gives up after this long below 100 bytes a second
  int rounds = 2;                 ///< over the mirrors; the second tries only temporary failures
  bool (*cancelled)() = nullptr;  ///< called at least about once a second
};

/// Tries `urls` (http or https) in order and writes the first file with the right size and hash to
/// `path`. Makes the folder. Progress goes to stderr.
///
/// - A wrong size or hash: the file is dropped and the next mirror is tried.
/// - The file gets its name only once it is complete. Several processes may fetch it at once.
/// - Only redirects to https are followed. Memory never holds more than `size` bytes.
///
/// Throws Unreachable with each mirror's reason, Cancelled, and FileError if `path` can't be
/// written.
void download(const std::vector<std::string>& urls, const std::string& path, std::uint64_t size,
              const std::string& sha256, const DownloadOptions& options = {});

}  // namespace unroll::app
