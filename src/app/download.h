// Downloading files whose size and SHA-256 are known beforehand.
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
  int stall_seconds = 20;         ///< below 100 bytes a second for this long: given up
  int rounds = 2;                 ///< over the mirrors; only those with passing troubles again
  bool (*cancelled)() = nullptr;  ///< polled about once a second or more often
};

/// Fetches the first of `urls` (http or https) that has exactly the wanted content to `path`,
/// making its folder. Only then does anything appear on the disk, under a name of its own, and is
/// renamed; processes that fetch the same at once all end with one valid file. Progress goes to
/// stderr.
///
/// Redirects are followed to https only. Nothing larger than `size` is ever held.
/// Throws Unreachable with each mirror's reason, Cancelled, FileError where `path` can't be
/// written.
void download(const std::vector<std::string>& urls, const std::string& path, std::uint64_t size,
              const std::string& sha256, const DownloadOptions& options = {});

}  // namespace unroll::app
