#include "core/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "unroll/core/error.h"

namespace unroll {
namespace {

[[noreturn]] void fail(std::string_view operation, const std::string& path,
                       std::string_view action) {
  const int code = errno;
  throw FileError(operation, fmt::format("can't {} {}: {}", action, path, std::strerror(code)));
}

void write_all(std::string_view operation, const std::string& path, int descriptor,
               std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(operation, path, "write");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
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
  const InputFile file(operation, path);
  if (file.size() > limit)
    throw FileError(operation, fmt::format("{} has {} bytes, more than the {} expected of such a "
                                           "file; is it the right one?",
                                           path, file.size(), limit));
  std::vector<std::byte> bytes(file.size());
  file.read_at(0, bytes);
  return bytes;
}

void write_file(std::string_view operation, const std::string& path,
                std::span<const std::span<const std::byte>> parts) {
  std::string temporary = path + ".tmp-XXXXXX";
  const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) fail(operation, path, "create");
  try {
    for (const auto& part : parts) write_all(operation, path, descriptor, part);
    // mkstemp makes private files; a result is as readable as any other file of the user's.
    const mode_t mask = ::umask(0);
    ::umask(mask);
    if (::fchmod(descriptor, 0666 & ~mask) != 0) fail(operation, path, "set the permissions of");
    if (::fsync(descriptor) != 0) fail(operation, path, "write");
  } catch (...) {
    ::close(descriptor);
    ::unlink(temporary.c_str());
    throw;
  }
  if (::close(descriptor) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int code = errno;
    ::unlink(temporary.c_str());
    errno = code;
    fail(operation, path, "write");
  }
  // The rename is durable only once the folder is synced.
  const int folder = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
}

void write_file(std::string_view operation, const std::string& path, std::string_view text) {
  const std::span<const std::byte> part = std::as_bytes(std::span(text));
  write_file(operation, path, std::span(&part, 1));
}

}  // namespace unroll
