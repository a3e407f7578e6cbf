// A folder that stays open.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unroll {

/// A descriptor of the folder, or -1 with errno. One that may be entered but not listed still takes
/// and gives files by their names.
int open_folder(const std::string& path);

/// What is read, written and looked for in it (core/file.h) is in this folder, also when somebody
/// renames it, or gives its name to another one.
class Folder {
 public:
  /// Throws FileError where there is none, or it may not be entered.
  Folder(std::string_view operation, const std::string& path);
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  /// Marks it as this process's until the object or the process ends, however it ends. Throws
  /// FileError where another process has it.
  void lock(std::string_view operation);

  /// The path that it was opened with, or where it is now if that path leads elsewhere.
  std::string path() const;
  std::string path_of(std::string_view name) const;

  /// The names of all that is in it, in no order. Throws FileError, as does has().
  std::vector<std::string> names() const;
  /// Whether anything has that name, also a link that leads nowhere.
  bool has(const std::string& name) const;
  /// Why no file can be made in it (ENOENT: it was removed), or 0.
  int write_error() const;

  int descriptor() const { return descriptor_; }

 private:
  bool is_at(const std::string& path) const;

  std::string path_;
  int descriptor_ = -1;
};

}  // namespace unroll
