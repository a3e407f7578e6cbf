#include "core/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <ctime>
#include <utility>

#include "unroll/core/error.h"

namespace unroll {
namespace {

[[noreturn]] void fail(std::string_view operation, const std::string& path,
                       std::string_view action) {
  const int code = errno;
  throw FileError(operation, fmt::format("can't {} {}: {}", action, path, std::strerror(code)));
}

/// Makes a call that changes a file. If file_fault makes it fail, only sets errno.
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

/// The descriptor of an open file; closes it at the end of the block.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ < 0) return;
    const int code = errno;
    ::close(value_);
    errno = code;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

/// The word in messages for something that is not a regular file.
const char* kind_of(mode_t mode) {
  return S_ISDIR(mode)    ? "folder"
         : S_ISLNK(mode)  ? "symbolic link"
         : S_ISFIFO(mode) ? "pipe"
         : S_ISSOCK(mode) ? "socket"
                          : "device";
}

void check_readable(std::string_view operation, const std::string& path, mode_t mode) {
  if (S_ISREG(mode)) return;
  if (S_ISDIR(mode)) {
    errno = EISDIR;
    fail(operation, path, "read");
  }
  throw FileError(operation,
                  fmt::format("{} is a {}; {}", path, kind_of(mode),
                              S_ISLNK(mode) ? "replace it by the file itself"
                                            : "copy its content to a regular file first"));
}

/// Refuses other than regular files. A rename would turn /dev/null into a regular file, for all
/// programs.
void check_replaceable(std::string_view operation, const std::string& path, mode_t mode) {
  if (!S_ISREG(mode))
    throw FileError(operation, fmt::format("{} is a {}; name a regular file, or a new one", path,
                                           kind_of(mode)));
}

int sync(int descriptor) {
  return attempt("fsync", [&](std::size_t) { return ::fsync(descriptor); });
}

/// Even after an error the descriptor is closed.
int close_written(int descriptor) {
  const int closed = ::close(descriptor);
  return attempt("close", [&](std::size_t) { return closed; });
}

/// While it lives, a write beyond the limit of a file's size (ulimit -f) is an error, as on a full
/// disk. Otherwise the kernel would end the process with SIGXFSZ.
class NoSizeSignal {
 public:
  NoSizeSignal() {
    sigemptyset(&signal_);
    sigaddset(&signal_, SIGXFSZ);
    ::pthread_sigmask(SIG_BLOCK, &signal_, &before_);
  }
  ~NoSizeSignal() {
    const int code = errno;
    const timespec now{};
    if (sigismember(&before_, SIGXFSZ) == 0) ::sigtimedwait(&signal_, nullptr, &now);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = code;
  }
  NoSizeSignal(const NoSizeSignal&) = delete;
  NoSizeSignal& operator=(const NoSizeSignal&) = delete;

 private:
  sigset_t signal_, before_;
};

void write_all(std::string_view operation, const std::string& path, int descriptor,
               std::span<const std::byte> bytes) {
  const NoSizeSignal guard;
  while (!bytes.empty()) {
    const ssize_t n = attempt(
        "write", [&](std::size_t most) { return ::write(descriptor, bytes.data(), most); },
        bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) errno = ENOSPC;  // or the loop would never end
    if (n <= 0) fail(operation, path, "write");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

/// A path's folder and the name in it: "a/b" is {"a", "b"}, "b" is {".", "b"}, "a/" is {"a", "."}.
std::pair<std::string, std::string> split(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  const std::string folder = slash == std::string::npos ? "."
                             : slash == 0               ? "/"
                                                        : path.substr(0, slash);
  return {folder, name.empty() ? "." : name};
}

/// The file to replace for `path`: follows symbolic links, which stay.
std::string target_of(std::string_view operation, const std::string& path) {
  std::string target = path;
  for (int links = 0; links < 40; ++links) {
    char to[PATH_MAX];
    const ssize_t length = ::readlink(target.c_str(), to, sizeof to);
    if (length < 0) return target;  // not a link
    const std::string_view name(to, static_cast<std::size_t>(length));
    target = name.starts_with('/') ? name : split(target).first.append("/").append(name);
  }
  errno = ELOOP;
  fail(operation, path, "write");
}

constexpr std::string_view kTemporary = ".tmp-";
constexpr std::size_t kRandom = 6;  // letters and digits at the end

/// Opens a new file in the same folder, with a name made from `name`, and sets `temporary` to it.
/// Its permissions are `mode` under the process's umask. Returns -1 on failure.
int open_temporary(int folder, const std::string& name, mode_t mode, std::string& temporary) {
  const long limit = ::fpathconf(folder, _PC_NAME_MAX);
  const std::size_t longest = limit > 0 ? static_cast<std::size_t>(limit) : NAME_MAX;
  std::size_t kept = std::min(name.size(), longest - kTemporary.size() - kRandom);
  // Does not cut a UTF-8 character: some file systems refuse the rest.
  while (kept < name.size() && kept > 0 && (static_cast<unsigned char>(name[kept]) & 0xc0) == 0x80)
    --kept;
  for (int attempts = 0; attempts < 100; ++attempts) {
    constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char random[kRandom];
    if (::getentropy(random, sizeof random) != 0) return -1;
    temporary = name.substr(0, kept).append(kTemporary);
    for (const unsigned char r : random) temporary += kLetters[r % kLetters.size()];
    const int descriptor = attempt("open", [&](std::size_t) {
      return ::openat(folder, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    });
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
  return -1;
}

/// Whether a call changed owner or permissions. Returns false if this process or file system can't
/// do that; throws for other errors.
bool was_allowed(std::string_view operation, const std::string& path, int result) {
  if (result == 0) return true;
  if (errno != EPERM && errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
    fail(operation, path, "set the permissions of");
  return false;
}

/// Gives a new file the owner and permissions of the file that it will replace.
void take_over(std::string_view operation, const std::string& path, int descriptor,
               const struct stat& old) {
  struct stat now {};
  if (::fstat(descriptor, &now) != 0) fail(operation, path, "write");
  const auto give = [&](uid_t owner, gid_t group) {
    return was_allowed(operation, path, attempt("fchown", [&](std::size_t) {
                         return ::fchown(descriptor, owner, group);
                       }));
  };
  mode_t mode = old.st_mode & 07777;
  const bool same = now.st_uid == old.st_uid && now.st_gid == old.st_gid;
  if (!same && !give(old.st_uid, old.st_gid)) {
    mode &= 0777;
    // With another group, the group gets no more permissions than others have.
    constexpr auto kUnchanged = static_cast<uid_t>(-1);
    if (now.st_gid != old.st_gid && !give(kUnchanged, old.st_gid))
      mode = (mode & 0707) | (mode & 007) << 3;
  }
  if ((now.st_mode & 07777) != mode)
    was_allowed(operation, path,
                attempt("fchmod", [&](std::size_t) { return ::fchmod(descriptor, mode); }));
}

/// Syncs the folder, because only then a new name is durable. Some file systems can't, and nobody
/// can without permission to read the folder.
void sync_folder(std::string_view operation, const std::string& path, int folder) {
  if (sync(folder) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EBADF)
    fail(operation, path, "write");
}

void replace(std::string_view operation, const std::string& path, int folder,
             const std::string& name, std::span<const std::span<const std::byte>> parts) {
  struct stat old {};
  const bool replaces = ::fstatat(folder, name.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0;
  if (replaces) check_replaceable(operation, path, old.st_mode);
  std::string temporary;
  // A replacement may need stricter permissions than a new file.
  Descriptor file(open_temporary(folder, name, replaces ? 0600 : 0666, temporary));
  if (file.get() < 0) fail(operation, path, "create");
  try {
    for (const auto& part : parts) write_all(operation, path, file.get(), part);
    if (replaces) take_over(operation, path, file.get(), old);
    if (sync(file.get()) != 0) fail(operation, path, "write");
    if (close_written(file.release()) != 0 || attempt("rename", [&](std::size_t) {
                                                return ::renameat(folder, temporary.c_str(), folder,
                                                                  name.c_str());
                                              }) != 0)
      fail(operation, path, "write");
  } catch (...) {
    ::unlinkat(folder, temporary.c_str(), 0);
    throw;
  }
  sync_folder(operation, path, folder);
}

/// Reads a file of at most `limit` bytes into a vector or a string.
template <class Bytes>
Bytes read_whole(std::string_view operation, const InputFile& file, std::uint64_t limit) {
  if (file.size() > limit)
    throw FileError(operation,
                    fmt::format("{} has {} bytes, expected at most {}; is it the right file?",
                                file.path(), file.size(), limit));
  Bytes bytes;
  bytes.resize(file.size());
  file.read_at(0, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

}  // namespace

InputFile::InputFile(std::string_view operation, const std::string& path)
    : operation_(operation), path_(path) {
  open(AT_FDCWD, path, 0);
}

InputFile::InputFile(std::string_view operation, const Folder& folder, const std::string& name)
    : operation_(operation), path_(folder.path_of(name)) {
  open(folder.descriptor(), name, O_NOFOLLOW);
}

void InputFile::open(int folder, const std::string& name, int flags) {
  struct stat status {};
  const int follow = (flags & O_NOFOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0;
  if (::fstatat(folder, name.c_str(), &status, follow) != 0) fail(operation_, path_, "open");
  check_readable(operation_, path_, status.st_mode);
  Descriptor file(
      ::openat(folder, name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags));
  if (file.get() < 0) fail(operation_, path_, "open");
  // The path may name another file by now.
  if (::fstat(file.get(), &status) != 0) fail(operation_, path_, "read");
  check_readable(operation_, path_, status.st_mode);
  size_ = static_cast<std::uint64_t>(status.st_size);
  descriptor_ = file.release();
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
  return read_whole<std::vector<std::byte>>(operation, InputFile(operation, path), limit);
}

std::string read_text(std::string_view operation, const std::string& path, std::uint64_t limit) {
  return read_whole<std::string>(operation, InputFile(operation, path), limit);
}

std::string read_text(std::string_view operation, const Folder& folder, const std::string& name,
                      std::uint64_t limit) {
  return read_whole<std::string>(operation, InputFile(operation, folder, name), limit);
}

void write_file(std::string_view operation, const std::string& path,
                std::span<const std::span<const std::byte>> parts) {
  // Also for a link without a target name: /dev/stdout may lead to "pipe:[7]".
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) check_replaceable(operation, path, status.st_mode);
  const auto [folder, name] = split(target_of(operation, path));
  const Descriptor opened(open_folder(folder));
  if (opened.get() < 0) fail(operation, path, "create");
  replace(operation, path, opened.get(), name, parts);
}

void write_file(std::string_view operation, const std::string& path,
                std::span<const std::byte> bytes) {
  write_file(operation, path, std::span(&bytes, 1));
}

void write_file(std::string_view operation, const std::string& path, std::string_view text) {
  write_file(operation, path, std::as_bytes(std::span(text)));
}

void write_file(std::string_view operation, const Folder& folder, const std::string& name,
                std::span<const std::byte> bytes) {
  replace(operation, folder.path_of(name), folder.descriptor(), name, std::span(&bytes, 1));
}

bool is_temporary_of(std::string_view name, std::string_view file) {
  if (file.size() != name.size() + kTemporary.size() + kRandom || !file.starts_with(name) ||
      !file.substr(name.size()).starts_with(kTemporary))
    return false;
  return std::ranges::all_of(file.substr(file.size() - kRandom),
                             [](unsigned char c) { return std::isalnum(c) != 0; });
}

void remove_file(std::string_view operation, const Folder& folder, const std::string& name) {
  if (attempt("unlink",
              [&](std::size_t) { return ::unlinkat(folder.descriptor(), name.c_str(), 0); }) != 0 &&
      errno != ENOENT)
    fail(operation, folder.path_of(name), "remove");
}

AppendingFile::AppendingFile(std::string_view operation, const Folder& folder,
                             const std::string& name, std::uint64_t size)
    : operation_(operation), folder_(folder), name_(name) {
  struct stat status {};
  if (::fstatat(folder.descriptor(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
    check_replaceable(operation_, path(), status.st_mode);
  Descriptor file(attempt("open", [&](std::size_t) {
    return ::openat(folder.descriptor(), name.c_str(),
                    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
  }));
  if (file.get() < 0) fail(operation_, path(), "create");
  if (::fstat(file.get(), &status) != 0) fail(operation_, path(), "write");
  check_replaceable(operation_, path(), status.st_mode);
  if (attempt("ftruncate",
              [&](std::size_t) { return ::ftruncate(file.get(), static_cast<off_t>(size)); }) != 0)
    fail(operation_, path(), "cut");
  descriptor_ = file.release();
}

std::string AppendingFile::path() const { return folder_.path_of(name_); }

AppendingFile::~AppendingFile() {
  try {
    flush();
  } catch (const FileError&) {  // callers that need to know call sync()
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
  write_all(operation_, path(), descriptor_, std::as_bytes(std::span(text)));
}

void AppendingFile::sync() {
  flush();
  if (unroll::sync(descriptor_) != 0) fail(operation_, path(), "write");
}

}  // namespace unroll
