// Files of other people's: their kinds, owners, permissions, long names, and limits of the process.
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <span>

#include "core/file.h"
#include "support/child_process.h"
#include "support/expect_error.h"
#include "support/file_faults.h"
#include "support/program.h"
#include "support/temporary_folder.h"
#include "unroll/core/error.h"

namespace {

std::atomic<int> umask_calls{0};

}  // namespace

// In place of libc's, for all of this program.
extern "C" mode_t umask(mode_t mask) noexcept {
  ++umask_calls;
  return static_cast<mode_t>(::syscall(SYS_umask, mask));
}

namespace unroll {
namespace {

namespace fs = std::filesystem;
using test::ChildProcess;
using test::error_of;
using test::TemporaryFolder;

struct stat status_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status;
}

unsigned mode_of(const std::string& path) { return status_of(path).st_mode & 07777; }

TEST(Trial18, TheWriterLeavesTheUmaskAlone) {
  for (const auto& [mask, mode] : {std::pair{0022, 0644}, {0077, 0600}, {0002, 0664}}) {
    const TemporaryFolder folder;
    ChildProcess child([&, mask = mask] {
      ::syscall(SYS_umask, mask);
      umask_calls = 0;
      write_file("test", folder / "file", "text");
      return std::to_string(umask_calls);
    });
    EXPECT_EQ(child.wait(), "0");
    EXPECT_EQ(mode_of(folder / "file"), static_cast<unsigned>(mode));
  }
}

/// Something of each kind that is no regular file.
std::vector<std::pair<std::string, std::string>> make_kinds(const TemporaryFolder& folder) {
  EXPECT_EQ(::mkfifo((folder / "a pipe").c_str(), 0600), 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const std::string socket = folder / "a socket";
  EXPECT_LT(socket.size(), sizeof address.sun_path);
  socket.copy(address.sun_path, sizeof address.sun_path - 1);
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
  EXPECT_EQ(::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(descriptor);
  fs::create_symlink("/dev/null", folder / "a device");
  fs::create_symlink("a pipe", folder / "leads to a pipe");
  return {{"a pipe", "is a pipe"},
          {"a socket", "is a socket"},
          {"a device", "is a device"},
          {"leads to a pipe", "is a pipe"}};
}

TEST(Trial18, WhatIsNoRegularFileIsRefusedByItsKind) {
  const TemporaryFolder folder;
  for (const auto& [name, kind] : make_kinds(folder)) {
    const std::string path = folder / name;
    for (const std::string& text : {error_of<FileError>([&] { InputFile("test", path); }),
                                    error_of<FileError>([&] { write_file("test", path, "text"); })})
      EXPECT_NE(text.find(path + " " + kind), std::string::npos) << text;
  }
  // As /dev/stdout is, where that is piped to another program.
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const std::string path = "/proc/self/fd/" + std::to_string(ends[1]);
  const std::string text = error_of<FileError>([&] { write_file("test", path, "text"); });
  EXPECT_NE(text.find(path + " is a pipe"), std::string::npos) << text;
  for (const int end : ends) ::close(end);
}

// A program that waits to write into a pipe would go on, and be ended by SIGPIPE.
TEST(Trial18, APipeIsNotEvenOpened) {
  const TemporaryFolder temporary;
  const std::string pipe = temporary / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int watch = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  ASSERT_GE(::inotify_add_watch(watch, pipe.c_str(), IN_OPEN), 0);
  const Folder folder("test", temporary.path());
  error_of<FileError>([&] { InputFile("test", pipe); });
  error_of<FileError>([&] { InputFile("test", folder, "pipe"); });
  error_of<FileError>([&] { AppendingFile("test", folder, "pipe"); });
  error_of<FileError>([&] { write_file("test", pipe, "text"); });
  char event[1024];
  EXPECT_EQ(::read(watch, event, sizeof event), -1);
  EXPECT_EQ(errno, EAGAIN);
  ::close(::open(pipe.c_str(), O_RDONLY | O_NONBLOCK));  // that is what is watched for
  EXPECT_GT(::read(watch, event, sizeof event), 0);
  ::close(watch);
}

TEST(Trial18, InAFolderALinkIsNotFollowed) {
  const TemporaryFolder temporary;
  temporary.write("victim", "precious");
  temporary.write("inner/other", "text");
  fs::create_symlink("../victim", temporary / "inner/link");
  fs::create_symlink("../new", temporary / "inner/dangling");
  const Folder folder("test", temporary / "inner");
  for (const char* name : {"link", "dangling"})
    for (const std::string& text :
         {error_of<FileError>([&] { InputFile("test", folder, name); }),
          error_of<FileError>([&] { AppendingFile("test", folder, name); }),
          error_of<FileError>([&] { write_file("test", folder, name, {}); })})
      EXPECT_NE(text.find(folder.path_of(name) + " is a symbolic link"), std::string::npos) << text;
  EXPECT_EQ(test::content_of(temporary / "victim"), "precious");
  EXPECT_FALSE(fs::exists(temporary / "new"));
  // Removing one removes the link.
  remove_file("test", folder, "link");
  EXPECT_EQ(test::content_of(temporary / "victim"), "precious");
  EXPECT_FALSE(folder.has("link"));
}

TEST(Trial18, AFolderMayHaveAPipeWhereALogIsToBe) {
  const TemporaryFolder temporary;
  ASSERT_EQ(::mkfifo((temporary / "log").c_str(), 0600), 0);
  const Folder folder("test", temporary.path());
  const std::string text = error_of<FileError>([&] { AppendingFile("test", folder, "log"); });
  EXPECT_NE(text.find("log is a pipe"), std::string::npos) << text;
}

/// What remains of a file of 3,000 bytes, written where at most 1,000 fit, beside an old one.
template <class Write>
void expect_full_disk(Write write) {
  const TemporaryFolder folder;
  folder.write("file", "old");
  ChildProcess child([&] {
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::string text = error_of<FileError>([&] { write(folder); });
    sigset_t pending, blocked;
    ::sigpending(&pending);
    ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    if (sigismember(&pending, SIGXFSZ) != 0) text += ", signal left";
    if (sigismember(&blocked, SIGXFSZ) != 0) text += ", signal blocked";
    return text;
  });
  const std::string text = child.wait();
  EXPECT_NE(text.find("File too large"), std::string::npos) << text;
  EXPECT_EQ(text.find("signal"), std::string::npos) << text;
  EXPECT_EQ(test::content_of(folder / "file"), "old");
  for (const std::string& name : test::files_in(folder.path()))
    EXPECT_EQ(name.find(".tmp-"), std::string::npos) << name;
}

TEST(Trial21, ALimitOfTheSizeOfFilesIsAFullDisk) {
  const std::string large(3000, 'n');
  expect_full_disk([&](const TemporaryFolder& f) { write_file("test", f / "file", large); });
  expect_full_disk([&](const TemporaryFolder& f) { write_file("test", f / "new", large); });
  expect_full_disk([&](const TemporaryFolder& f) {
    const Folder folder("test", f.path());
    AppendingFile log("test", folder, "log");
    log.append(large);
    log.sync();
  });
}

TEST(Trial22, AFileThatIsReplacedKeepsItsMode) {
  for (const mode_t mode : {0600, 0640, 0664, 0666, 0444, 0755}) {
    const TemporaryFolder folder;
    const std::string path = folder.write("file", "old");
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    write_file("test", path, "new");
    EXPECT_EQ(mode_of(path), mode);
    EXPECT_EQ(test::content_of(path), "new");
  }
}

TEST(Trial22, NobodyElseReadsIntoAFileWhileItIsReplaced) {
  const TemporaryFolder folder;
  const std::string path = folder.write("file", "old");
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  ChildProcess child([&] {
    ::syscall(SYS_umask, 0);
    const test::FileFaults killed({.at = 2, .kill = true});  // after a write
    const auto bytes = std::as_bytes(std::span("new", 3));
    const std::span<const std::byte> parts[] = {bytes, bytes};
    write_file("test", path, parts);
    return std::string();
  });
  EXPECT_EQ(child.wait(), "signal 9");
  for (const std::string& name : test::files_in(folder.path()))
    EXPECT_EQ(mode_of(folder / name), 0600u) << name;
  EXPECT_EQ(test::files_in(folder.path()).size(), 2u);
}

TEST(Trial22, AFileThatIsReplacedKeepsItsOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  const TemporaryFolder folder;
  const std::string path = folder.write("file", "old");
  ASSERT_EQ(::chown(path.c_str(), 1234, 5678), 0);
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  write_file("test", path, "new");
  EXPECT_EQ(status_of(path).st_uid, 1234u);
  EXPECT_EQ(status_of(path).st_gid, 5678u);
  EXPECT_EQ(mode_of(path), 0640u);
  EXPECT_EQ(test::content_of(path), "new");
}

// Where the group can't be kept, another group must not get what that one had.
TEST(Trial22, AnotherGroupMayDoNoMoreThanOthers) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs two users";
  for (const auto& [mode, expected] : {std::pair{0640, 0600}, {0664, 0644}, {04755, 0755}}) {
    const TemporaryFolder folder;
    const std::string path = folder.write("file", "old");
    ASSERT_EQ(::chmod(path.c_str(), static_cast<mode_t>(mode)), 0);
    ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
    ChildProcess child([&] {
      if (::setgroups(0, nullptr) != 0 || ::setgid(1234) != 0 || ::setuid(1234) != 0)
        return std::string("can't become another user");
      write_file("test", path, "new");
      return std::string("written");
    });
    EXPECT_EQ(child.wait(), "written");
    EXPECT_EQ(status_of(path).st_uid, 1234u);
    EXPECT_EQ(mode_of(path), static_cast<unsigned>(expected));
    EXPECT_EQ(test::content_of(path), "new");
  }
}

TEST(Trial22, NamesAsLongAsTheyMayBe) {
  std::string umlauts;
  while (umlauts.size() < 254) umlauts += "ü";
  for (const std::string& name : {std::string(255, 'n'), std::string(244, 'n'), "x" + umlauts}) {
    const TemporaryFolder folder;
    for (const char* text : {"old", "new"}) {
      write_file("test", folder / name, text);
      EXPECT_EQ(test::content_of(folder / name), text);
      EXPECT_EQ(test::files_in(folder.path()), (std::set<std::string>{name}));
    }
  }
  const TemporaryFolder folder;
  EXPECT_NE(error_of<FileError>([&] {
              write_file("test", folder / std::string(256, 'n'), "x");
            }).find("File name too long"),
            std::string::npos);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Trial22, ATemporaryNameIsKnownByItsFile) {
  EXPECT_TRUE(is_temporary_of("model.safetensors", "model.safetensors.tmp-a2c4ef"));
  for (const char* other : {"model.safetensors", "model.safetensors.tmp-", "weights.tmp-230101",
                            "model.safetensors.tmp-a2c4e", "model.safetensors.tmp-a2c4efg",
                            "model.safetensors.tmp-a2c.ef", "xmodel.safetensors.tmp-a2c4ef"})
    EXPECT_FALSE(is_temporary_of("model.safetensors", other)) << other;
  // The one that a killed save leaves.
  const TemporaryFolder folder;
  ChildProcess child([&] {
    const test::FileFaults killed({.at = 1, .kill = true});
    write_file("test", folder / "file", "text");
    return std::string();
  });
  EXPECT_EQ(child.wait(), "signal 9");
  const auto left = test::files_in(folder.path());
  ASSERT_EQ(left.size(), 1u);
  EXPECT_TRUE(is_temporary_of("file", *left.begin())) << *left.begin();
}

TEST(Trial22, AFolderIsTheSameWhenItIsRenamed) {
  const TemporaryFolder temporary;
  fs::create_directory(temporary / "first");
  const Folder folder("test", temporary / "first");
  EXPECT_EQ(folder.path(), temporary / "first");
  AppendingFile log("test", folder, "log");
  fs::rename(temporary / "first", temporary / "second");
  temporary.write("first/log", "another's");
  write_file("test", folder, "file", std::as_bytes(std::span("text", 4)));
  log.append("line");
  log.sync();
  EXPECT_EQ(test::content_of(temporary / "second/file"), "text");
  EXPECT_EQ(test::content_of(temporary / "second/log"), "line");
  EXPECT_EQ(test::content_of(temporary / "first/log"), "another's");
  EXPECT_EQ(test::files_in(temporary / "first"), std::set<std::string>{"log"});
  EXPECT_EQ(folder.path(), fs::canonical(temporary / "second").string());
  EXPECT_EQ(folder.write_error(), 0);
  fs::remove_all(temporary / "second");
  EXPECT_EQ(folder.write_error(), ENOENT);
}

}  // namespace
}  // namespace unroll
