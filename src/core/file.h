// Files: the one place for the operating system's calls on them.
//
// A file is named by a path, or by its name in an open Folder. A path may lead over symbolic links;
// a name in a Folder is the file itself. Either way it must be a regular file: a pipe could make
// the program wait for ever, and opening a device can do something. Everything here throws
// FileError.
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
  /// The errors' text names `operation` and the path.
  InputFile(std::string_view operation, const std::string& path);
  InputFile(std::string_view operation, const Folder& folder, const std::string& name);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  /// Fills `out` from `offset`; throws FileError when the file ends before that or can't be read.
  void read_at(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  void open(int folder, const std::string& name, int flags);

  std::string operation_, path_;
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

/// The whole of a file of at most `limit` bytes; throws FileError when it is larger.
std::vector<std::byte> read_file(std::string_view operation, const std::string& path,
                                 std::uint64_t limit);
std::string read_text(std::string_view operation, const std::string& path, std::uint64_t limit);
std::string read_text(std::string_view operation, const Folder& folder, const std::string& name,
                      std::uint64_t limit);

/// Writes all parts to a temporary file in the same folder, syncs it, and renames it: after a fault
/// the old file or the new one is there, never a part of one, and nothing is left behind. A new
/// file has the permissions that the process gives to new files. One that replaces another has that
/// one's permissions and owner, as far as the process may give them.
void write_file(std::string_view operation, const std::string& path,
                std::span<const std::span<const std::byte>> parts);
void write_file(std::string_view operation, const std::string& path,
                std::span<const std::byte> bytes);
void write_file(std::string_view operation, const std::string& path, std::string_view text);
void write_file(std::string_view operation, const Folder& folder, const std::string& name,
                std::span<const std::byte> bytes);

/// Whether write_file() may have left `file` behind, being killed while it wrote `name`.
bool is_temporary_of(std::string_view name, std::string_view file);

/// Removes a file, if there is one.
void remove_file(std::string_view operation, const Folder& folder, const std::string& name);

/// A file that grows at its end, through a buffer. The folder must outlive it.
class AppendingFile {
 public:
  /// Makes the file, or cuts the one there is to its first `size` bytes.
  AppendingFile(std::string_view operation, const Folder& folder, const std::string& name,
                std::uint64_t size = 0);
  ~AppendingFile();  // writes what it can
  AppendingFile(const AppendingFile&) = delete;
  AppendingFile& operator=(const AppendingFile&) = delete;

  // What was not yet written when one of these throws is lost.
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

/// For tests of what a fault leaves behind: called before every call of the operating system that
/// changes a file, with its name ("write", "fsync", ...). Another result than 0 is the error that
/// the call fails with; `bytes` is what a "write" is to take at once, and may be made less.
using FileFault = int (*)(std::string_view call, std::size_t& bytes);
inline FileFault file_fault = nullptr;

}  // namespace unroll
