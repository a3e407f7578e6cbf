// The content of a file in blocks, from its start to its end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"

namespace unroll::data {

/// Reads a file, or a text in memory. A gzip file of up to 256 MB is decompressed at once. A larger
/// one is decompressed while it is read, at two thirds of the speed: the memory does not depend on
/// its size. It must be one member with nothing after it.
class ContentReader {
 public:
  /// Throws FileError.
  explicit ContentReader(const std::string& path);
  /// `content` must outlive the reader. `path` is its name in messages.
  ContentReader(std::string_view content, std::string path);
  ~ContentReader();

  const std::string& path() const { return path_; }

  /// Bytes of the content; nothing if it is compressed and not known.
  std::optional<std::uint64_t> size() const;

  /// Fills `out` and returns the number of bytes, which is smaller than `out` only at the end.
  /// Throws FileError; FormatError for a damaged gzip file. Only the last call knows whether its
  /// checksum is right.
  std::size_t read(std::span<char> out);
  /// The next read() starts at the beginning again.
  void rewind();

 private:
  struct Inflater;

  bool decode_whole();
  std::size_t read_stored(std::span<char> out);
  std::size_t inflate(std::span<char> out);
  void check_end() const;

  std::string path_;
  std::optional<InputFile> file_;
  std::vector<std::uint8_t> decoded_;
  std::string_view text_;
  std::uint64_t size_ = 0, position_ = 0;  // of the stored bytes
  std::unique_ptr<Inflater> inflater_;     // of a gzip file
};

}  // namespace unroll::data
