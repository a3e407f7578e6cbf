// Files. All calls of the operating system on files are here.
//
// A file is named by a path, or by its name in an open Folder. A path may contain symbolic links; a
// name in a Folder may not be one. It must be a regular file: a pipe could block the program for
// ever, and opening a device can have effects. All functions here throw FileError.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/folder.h"

namespace unroll {

/// A file open for reading at any offset.
class InputFile {
 public:
  /// Errors name `operation` and the path.
  InputFile(std::string_view operation, const std::string& path);
  InputFile(std::string_view operation, const Folder& folder, const std::string& name);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  /// Fills `out` from `offset`. Throws FileError if the file is too short or can't be read.
  void read_at(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  void open(int folder, const std::string& name, int flags);

  std::string operation_, path_;
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

/// Reads a whole file. Throws FileError if it has more than `limit` bytes.
std::vector<std::byte> read_file(std::string_view operation, const std::string& path,
                                 std::uint64_t limit);
std::string read_text(std::string_view operation, const std::string& path, std::uint64_t limit);
std::string read_text(std::string_view operation, const Folder& folder, const std::string& name,
                      std::uint64_t limit);

/// Writes all parts to a temporary file in the same folder, syncs it, and renames it. After a fault
/// the path holds the old file or the new one, never a part, and no temporary file remains. A new
/// file gets the process's usual permissions. A replacement keeps the old file's permissions and
/// owner, as far as the process may set them.
void write_file(std::string_view operation, const std::string& path,
                std::span<const std::span<const std::byte>> parts);
void write_file(std::string_view operation, const std::string& path,
                std::span<const std::byte> bytes);
void write_file(std::string_view operation, const std::string& path, std::string_view text);
void write_file(std::string_view operation, const Folder& folder, const std::string& name,
                std::span<const std::byte> bytes);

/// Whether `file` may be the temporary file of a write_file() to `name` that was killed.
bool is_temporary_of(std::string_view name, std::string_view file);

/// Removes a file, if there is one.
void remove_file(std::string_view operation, const Folder& folder, const std::string& name);

/// A file to append to, with a buffer. The folder must outlive it.
class AppendingFile {
 public:
  /// Makes the file, or cuts an existing one to its first `size` bytes.
  AppendingFile(std::string_view operation, const Folder& folder, const std::string& name,
                std::uint64_t size = 0);
  ~AppendingFile();  // writes the buffer if it can
  AppendingFile(const AppendingFile&) = delete;
  AppendingFile& operator=(const AppendingFile&) = delete;

  // If one of these throws, the text in the buffer is lost.
  void append(std::string_view text);
  void flush();  ///< everything reaches the operating system
  void sync();   ///< everything reaches the disk

 private:
  std::string path() const;

  std::string operation_;
  const Folder& folder_;
  std::string name_, buffer_;
  int descriptor_ = -1;
};

/// For tests of faults: called before every call of the operating system that changes a file, with
/// the call's name ("write", "fsync", ...). A result other than 0 makes the call fail with this
/// error. `bytes` is the size of a "write"; the function may reduce it.
using FileFault = int (*)(std::string_view call, std::size_t& bytes);
inline FileFault file_fault = nullptr;

}  // namespace unroll
