// A file of a run that only grows, and the hash of its content.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/file.h"
#include "data/sha256.h"
#include "run/manifest.h"

namespace unroll::run {

/// The hash of the first `bytes` of a file. Throws FileError if it has fewer.
inline data::Sha256 hash_of_start(const Folder& folder, const std::string& name,
                                  std::uint64_t bytes) {
  data::Sha256 hash;
  if (bytes == 0) return hash;
  const InputFile file("resume", folder, name);
  std::array<std::byte, 1 << 16> buffer;
  for (std::uint64_t at = 0; at < bytes;) {
    const auto piece = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), bytes - at));
    file.read_at(at, piece);
    hash.add(piece);
    at += piece.size();
  }
  return hash;
}

/// An AppendingFile that knows its size and hash. The folder must outlive it. Its functions throw
/// FileError.
class GrowingFile {
 public:
  /// Makes the file, or cuts an existing one to its first `bytes`.
  GrowingFile(const Folder& folder, const std::string& name, std::uint64_t bytes)
      : hash_(hash_of_start(folder, name, bytes)),
        bytes_(bytes),
        file_("train", folder, name, bytes) {}

  void append(std::string_view text) {
    file_.append(text);
    hash_.add(std::as_bytes(std::span(text)));
    bytes_ += text.size();
  }
  void flush() { file_.flush(); }
  void sync() { file_.sync(); }

  FileHash hash() const { return {bytes_, hash_.digits()}; }  ///< also of what is in the buffer
  std::uint64_t bytes() const { return bytes_; }

 private:
  data::Sha256 hash_;
  std::uint64_t bytes_;
  AppendingFile file_;
};

}  // namespace unroll::run
