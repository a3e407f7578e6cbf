#include "core/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>

#include "core/file.h"
#include "core/file_kind.h"
#include "unroll/core/error.h"

namespace unroll {
namespace {

constexpr int kFlags = O_DIRECTORY | O_CLOEXEC;

[[noreturn]] void fail_folder(std::string_view operation, const std::string& path) {
  const int code = errno;
  throw FileError(
      operation,
      fmt::format("can't open the folder {}: {}{}", path, std::strerror(code),
                  code == EACCES ? "; this needs the permissions to read it and to enter it" : ""));
}

/// Names the kind of a file if the path should be a folder.
[[noreturn]] void refuse_file(std::string_view operation, const std::string& path) {
  const auto kind = file_kind(file_start(InputFile(operation, path)));
  throw FileError(operation,
                  fmt::format("{} is {}, expected a folder", path, kind ? kind->what : "a file"));
}

}  // namespace

int open_folder(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | kFlags);
  return descriptor < 0 && errno == EACCES ? ::open(path.c_str(), O_PATH | kFlags) : descriptor;
}

Folder::Folder(std::string_view operation, const std::string& path)
    : path_(path), descriptor_(open_folder(path)) {
  if (descriptor_ >= 0) return;
  struct stat status {};
  const int code = errno;
  if (code == ENOTDIR && ::stat(path.c_str(), &status) == 0) refuse_file(operation, path);
  errno = code;
  fail_folder(operation, path);
}

Folder::~Folder() { ::close(descriptor_); }

void Folder::lock(std::string_view operation) {
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  throw FileError(operation, fmt::format("{} is in use: another process trains in it; wait for "
                                         "its end, or choose another folder",
                                         path()));
}

bool Folder::is_at(const std::string& path) const {
  struct stat there {
  }, here{};
  return ::stat(path.c_str(), &there) == 0 && ::fstat(descriptor_, &here) == 0 &&
         there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

std::string Folder::path() const {
  const int code = errno;  // kept, because a message that names this folder may need it
  std::string now = path_;
  if (!is_at(path_)) {
    char moved[PATH_MAX];
    const ssize_t length =
        ::readlink(fmt::format("/proc/self/fd/{}", descriptor_).c_str(), moved, sizeof moved);
    if (length > 0) now.assign(moved, static_cast<std::size_t>(length));
    if (!is_at(now)) now = path_;  // the folder was removed
  }
  errno = code;
  return now;
}

std::string Folder::path_of(std::string_view name) const {
  return fmt::format("{}/{}", path(), name);
}

std::vector<std::string> Folder::names() const {
  const int copy = ::openat(descriptor_, ".", O_RDONLY | kFlags);
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(copy < 0 ? nullptr : ::fdopendir(copy),
                                                   &::closedir);
  if (!folder) fail_folder("folder", path());
  std::vector<std::string> names;
  for (errno = 0; const dirent* entry = ::readdir(folder.get()); errno = 0) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  if (errno != 0) fail_folder("folder", path());
  return names;
}

bool Folder::has(const std::string& name) const {
  struct stat ignored {};
  if (::fstatat(descriptor_, name.c_str(), &ignored, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno != ENOENT && errno != ENAMETOOLONG) fail_folder("folder", path());
  return false;
}

int Folder::write_error() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) return errno;
  if (status.st_nlink == 0) return ENOENT;
  return ::faccessat(descriptor_, ".", W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

}  // namespace unroll
