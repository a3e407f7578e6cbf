#include "core/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "unroll/core/error.h"

namespace unroll {
namespace {

[[noreturn]] void fail(std::string_view operation, const std::string& path,
                       std::string_view action) {
  const int code = errno;
  throw FileError(operation, fmt::format("can't {} {}: {}", action, path, std::strerror(code)));
}

/// Makes a call that changes a file; where file_fault has it fail, only sets errno.
template <class F>
auto attempt(std::string_view name, F&& call, std::size_t bytes = 0) -> decltype(call(bytes)) {
  if (file_fault) {
    const int error = file_fault(name, bytes);
    if (error != 0) {
      errno = error;
      return -1;
    }
  }
  return call(bytes);
}

int sync(int descriptor) {
  return attempt("fsync", [&](std::size_t) { return ::fsync(descriptor); });
}

/// Whatever it answers, the descriptor is gone.
int close_written(int descriptor) {
  const int closed = ::close(descriptor);
  return attempt("close", [&](std::size_t) { return closed; });
}

void write_all(std::string_view operation, const std::string& path, int descriptor,
               std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = attempt(
        "write", [&](std::size_t most) { return ::write(descriptor, bytes.data(), most); },
        bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) errno = ENOSPC;  // or it would be tried for ever
    if (n <= 0) fail(operation, path, "write");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// The file that is to be replaced where `path` is named: behind symbolic links, which stay. Throws
/// for what is there and no regular file: a rename would make /dev/null one, for all programs.
std::string target_of(std::string_view operation, const std::string& path) {
  std::string target = path;
  for (int links = 0; links < 40; ++links) {
    char to[PATH_MAX];
    const ssize_t length = ::readlink(target.c_str(), to, sizeof to);
    if (length < 0) {  // no link
      struct stat status {};
      if (::stat(target.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return target;
      const char* const kind = S_ISDIR(status.st_mode)    ? "folder"
                               : S_ISFIFO(status.st_mode) ? "pipe"
                               : S_ISSOCK(status.st_mode) ? "socket"
                                                          : "device";
      throw FileError(operation,
                      fmt::format("{} is a {}; name a regular file, or a new one", path, kind));
    }
    const std::string_view name(to, static_cast<std::size_t>(length));
    target = name.starts_with('/') ? name : folder_of(target).append("/").append(name);
  }
  errno = ELOOP;
  fail(operation, path, "write");
}

/// A new name in a folder is durable only once the folder is synced; not every file system can.
void sync_folder_of(std::string_view operation, const std::string& path) {
  const int folder = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  const bool synced = sync(folder) == 0 || errno == EINVAL || errno == ENOTSUP;
  const int code = errno;
  ::close(folder);
  errno = code;
  if (!synced) fail(operation, path, "write");
}

/// The whole of a file of at most `limit` bytes, in a vector or a string.
template <class Bytes>
Bytes read_whole(std::string_view operation, const std::string& path, std::uint64_t limit) {
  const InputFile file(operation, path);
  if (file.size() > limit)
    throw FileError(operation, fmt::format("{} has {} bytes, more than the {} expected of such a "
                                           "file; is it the right one?",
                                           path, file.size(), limit));
  Bytes bytes;
  bytes.resize(file.size());
  file.read_at(0, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

}  // namespace

InputFile::InputFile(std::string_view operation, const std::string& path)
    : operation_(operation), path_(path) {
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) fail(operation_, path_, "open");
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0 || S_ISDIR(status.st_mode)) {
    if (S_ISDIR(status.st_mode)) errno = EISDIR;
    const int code = errno;
    ::close(descriptor_);
    errno = code;
    fail(operation_, path_, "read");
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    throw FileError(operation_,
                    fmt::format("{} is not a regular file; copy it to one first", path_));
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t n = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(operation_, path_, "read");
    if (n == 0) throw FileError(operation_, fmt::format("{} ends too early: truncated", path_));
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

std::vector<std::byte> read_file(std::string_view operation, const std::string& path,
                                 std::uint64_t limit) {
  return read_whole<std::vector<std::byte>>(operation, path, limit);
}

std::string read_text(std::string_view operation, const std::string& path, std::uint64_t limit) {
  return read_whole<std::string>(operation, path, limit);
}

void write_file(std::string_view operation, const std::string& path,
                std::span<const std::span<const std::byte>> parts) {
  const std::string target = target_of(operation, path);
  std::string temporary = target + ".tmp-XXXXXX";
  const int descriptor =
      attempt("open", [&](std::size_t) { return ::mkostemp(temporary.data(), O_CLOEXEC); });
  if (descriptor < 0) fail(operation, path, "create");
  try {
    for (const auto& part : parts) write_all(operation, path, descriptor, part);
    // mkstemp makes private files; a result is as readable as any other file of the user's.
    const mode_t mask = ::umask(0);
    ::umask(mask);
    if (attempt("fchmod", [&](std::size_t) { return ::fchmod(descriptor, 0666 & ~mask); }) != 0)
      fail(operation, path, "set the permissions of");
    if (sync(descriptor) != 0) fail(operation, path, "write");
  } catch (...) {
    ::close(descriptor);
    ::unlink(temporary.c_str());
    throw;
  }
  if (close_written(descriptor) != 0 || attempt("rename", [&](std::size_t) {
                                          return ::rename(temporary.c_str(), target.c_str());
                                        }) != 0) {
    const int code = errno;
    ::unlink(temporary.c_str());
    errno = code;
    fail(operation, path, "write");
  }
  sync_folder_of(operation, target);
}

void write_file(std::string_view operation, const std::string& path,
                std::span<const std::byte> bytes) {
  write_file(operation, path, std::span(&bytes, 1));
}

void write_file(std::string_view operation, const std::string& path, std::string_view text) {
  write_file(operation, path, std::as_bytes(std::span(text)));
}

void remove_file(std::string_view operation, const std::string& path) {
  if (attempt("unlink", [&](std::size_t) { return ::unlink(path.c_str()); }) != 0 &&
      errno != ENOENT)
    fail(operation, path, "remove");
}

AppendingFile::AppendingFile(std::string_view operation, const std::string& path,
                             std::uint64_t size)
    : operation_(operation), path_(path) {
  descriptor_ = attempt("open", [&](std::size_t) {
    return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  });
  if (descriptor_ < 0) fail(operation_, path_, "create");
  if (attempt("ftruncate",
              [&](std::size_t) { return ::ftruncate(descriptor_, static_cast<off_t>(size)); }) == 0)
    return;
  const int code = errno;
  ::close(descriptor_);
  errno = code;
  fail(operation_, path_, "cut");
}

AppendingFile::~AppendingFile() {
  try {
    flush();
  } catch (const FileError&) {  // sync() is for those who want to know
  }
  ::close(descriptor_);
}

void AppendingFile::append(std::string_view text) {
  constexpr std::size_t kAtOnce = 1 << 16;
  buffer_ += text;
  if (buffer_.size() >= kAtOnce) flush();
}

void AppendingFile::flush() {
  const std::string text = std::exchange(buffer_, {});
  write_all(operation_, path_, descriptor_, std::as_bytes(std::span(text)));
}

void AppendingFile::sync() {
  flush();
  if (unroll::sync(descriptor_) != 0) fail(operation_, path_, "write");
}

FolderLock::FolderLock(std::string_view operation, const std::string& path) {
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor_ < 0) fail(operation, path, "open");
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  ::close(descriptor_);
  throw FileError(operation, fmt::format("{} is in use: another process trains in it; wait for "
                                         "its end, or choose another folder",
                                         path));
}

FolderLock::~FolderLock() { ::close(descriptor_); }

}  // namespace unroll
