// A folder that stays open.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unroll {

/// A descriptor of the folder, or -1 with errno. A folder that may be entered but not listed works
/// too: its files are reached by name.
int open_folder(const std::string& path);

/// A folder that stays open. Files in it (core/file.h) stay in this folder, even if somebody
/// renames it or gives its name to another folder.
class Folder {
 public:
  /// Throws FileError if the folder does not exist or may not be entered.
  Folder(std::string_view operation, const std::string& path);
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  /// Locks the folder for this process, until the object or the process ends. Throws FileError if
  /// another process has the lock.
  void lock(std::string_view operation);

  /// The path of the constructor, or the folder's current path if that one leads elsewhere by now.
  std::string path() const;
  std::string path_of(std::string_view name) const;

  /// The names of all entries, in no order. names() and has() throw FileError.
  std::vector<std::string> names() const;
  /// Whether an entry has this name, including a broken link.
  bool has(const std::string& name) const;
  /// The error that prevents making a file here (ENOENT: the folder was removed), or 0.
  int write_error() const;

  int descriptor() const { return descriptor_; }

 private:
  bool is_at(const std::string& path) const;

  std::string path_;
  int descriptor_ = -1;
};

}  // namespace unroll
