// Files: the one place for the operating system's calls on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

/// A file open for reading at any offset.
class InputFile {
 public:
  /// Throws FileError (missing, a folder, no permission), its text naming `operation` and the path.
  InputFile(std::string_view operation, const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  /// Fills `out` from `offset`; throws FileError when the file ends before that or can't be read.
  void read_at(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  std::string operation_, path_;
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

/// The whole of a file of at most `limit` bytes; throws FileError when it is larger.
std::vector<std::byte> read_file(std::string_view operation, const std::string& path,
                                 std::uint64_t limit);
std::string read_text(std::string_view operation, const std::string& path, std::uint64_t limit);

/// Writes all parts to a temporary file beside `path`, syncs it, and renames it: after a fault the
/// old file or the new one is there, never a part of one. Of a symbolic link the target is
/// replaced. Throws FileError, also where `path` is no regular file; nothing is left behind.
void write_file(std::string_view operation, const std::string& path,
                std::span<const std::span<const std::byte>> parts);
void write_file(std::string_view operation, const std::string& path,
                std::span<const std::byte> bytes);
void write_file(std::string_view operation, const std::string& path, std::string_view text);

/// Removes a file, if there is one. Throws FileError.
void remove_file(std::string_view operation, const std::string& path);

/// A file that grows at its end, through a buffer.
class AppendingFile {
 public:
  /// Makes the file, or cuts the one there is to its first `size` bytes. Throws FileError.
  AppendingFile(std::string_view operation, const std::string& path, std::uint64_t size = 0);
  ~AppendingFile();  // writes what it can
  AppendingFile(const AppendingFile&) = delete;
  AppendingFile& operator=(const AppendingFile&) = delete;

  // Each throws FileError; what was not yet written is lost then.
  void append(std::string_view text);
  void flush();  ///< everything reaches the operating system
  void sync();   ///< everything reaches the disk

 private:
  std::string operation_, path_, buffer_;
  int descriptor_ = -1;
};

/// Marks a folder as this process's until the object or the process ends, however it ends.
class FolderLock {
 public:
  /// Throws FileError where another one has it.
  FolderLock(std::string_view operation, const std::string& path);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

/// For tests of what a fault leaves behind: called before every call of the operating system that
/// changes a file, with its name ("write", "fsync", ...). Another result than 0 is the error that
/// the call fails with; `bytes` is what a "write" is to take at once, and may be made less.
using FileFault = int (*)(std::string_view call, std::size_t& bytes);
inline FileFault file_fault = nullptr;

}  // namespace unroll
