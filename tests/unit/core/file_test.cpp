// Faults of the disk and of the machine at every call that a save makes.
#include "core/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <set>

#include "support/child_process.h"
#include "support/expect_error.h"
#include "support/file_faults.h"
#include "support/program.h"
#include "support/temporary_folder.h"
#include "unroll/core/error.h"

namespace unroll {
namespace {

using test::FileFaults;

const std::string old_text(1000, 'o'), new_text(3000, 'n');

/// Several writes, so that there is one in the middle.
void save(const std::string& path) {
  const auto bytes = std::as_bytes(std::span(new_text));
  const std::span<const std::byte> parts[] = {bytes.first(8), bytes.subspan(8, 1000),
                                              bytes.subspan(1008)};
  write_file("test", path, parts);
}

/// Those of a save that replaces a file: it has one more.
std::size_t calls_of_a_save() {
  const test::TemporaryFolder folder;
  folder.write("file", old_text);
  const FileFaults none;
  save(folder / "file");
  return none.calls().size();
}

TEST(File, ASaveMakesTheseCalls) {
  const test::TemporaryFolder folder;
  std::vector<std::string> calls = {"open",  "write", "write",  "write",
                                    "fsync", "close", "rename", "fsync"};
  {
    const FileFaults none;
    save(folder / "file");
    EXPECT_EQ(none.calls(), calls);
  }
  calls.insert(calls.begin() + 4, "fchmod");  // as the file that is replaced
  const FileFaults none;
  save(folder / "file");
  EXPECT_EQ(none.calls(), calls);
}

TEST(File, WhatIsNoRegularFileIsNotReplaced) {
  const test::TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::filesystem::create_directory(folder / "inner");
  std::filesystem::create_symlink("pipe", folder / "link");  // a device: as a pipe
  const std::pair<std::string, std::string> cases[] = {
      {"pipe", "is a pipe"}, {"inner", "is a folder"}, {"link", "is a pipe"}};
  for (const auto& [name, kind] : cases) {
    const std::string text = test::error_of<FileError>([&, &file = name] { save(folder / file); });
    EXPECT_NE(text.find(folder / name + " " + kind), std::string::npos) << text;
    EXPECT_NE(text.find("name a regular file"), std::string::npos) << text;
  }
  EXPECT_EQ(test::files_in(folder.path()), (std::set<std::string>{"inner", "link", "pipe"}));
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "pipe"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
}

TEST(File, ALinkStaysAndItsTargetIsReplaced) {
  const test::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "inner");
  folder.write("inner/file", old_text);
  std::filesystem::create_symlink("inner/file", folder / "link");
  std::filesystem::create_symlink(folder / "link", folder / "second");
  std::filesystem::create_symlink("inner/new", folder / "dangling");
  save(folder / "second");
  save(folder / "dangling");
  EXPECT_EQ(test::content_of(folder / "inner/file"), new_text);
  EXPECT_EQ(test::content_of(folder / "inner/new"), new_text);
  for (const char* link : {"link", "second", "dangling"})
    EXPECT_TRUE(std::filesystem::is_symlink(folder / link)) << link;
  std::filesystem::create_symlink("endless", folder / "endless");
  EXPECT_NE(test::error_of<FileError>([&] { save(folder / "endless"); }).find("symbolic links"),
            std::string::npos);
}

TEST(Fault24, KilledAtEveryCallOfASave) {
  const std::size_t calls = calls_of_a_save();
  std::set<bool> seen;
  for (std::size_t at = 0; at < calls; ++at) {
    const test::TemporaryFolder folder;
    const std::string path = folder.write("file", old_text);
    test::ChildProcess child([&] {
      const FileFaults killed({.at = at, .kill = true});
      save(path);
      return std::string("saved");
    });
    EXPECT_EQ(child.wait(), "signal 9") << at;
    const std::string left = test::content_of(path);
    EXPECT_TRUE(left == old_text || left == new_text) << at;
    seen.insert(left == new_text);
  }
  EXPECT_EQ(seen.size(), 2u);  // before the rename, and after it
}

TEST(Fault25, EveryCallOfASaveFails) {
  const std::size_t calls = calls_of_a_save();
  for (const int error : {ENOSPC, EIO})
    for (std::size_t at = 0; at < calls; ++at) {
      const test::TemporaryFolder folder;
      const std::string path = folder.write("file", old_text);
      std::string text;
      {
        const FileFaults faults({.at = at, .error = error});
        text = test::error_of<FileError>([&] { save(path); });
      }
      EXPECT_NE(text.find(path), std::string::npos) << text;
      EXPECT_NE(text.find(error == EIO ? "Input/output error" : "No space left"), std::string::npos)
          << text;
      // Only the folder's fsync comes after the new name.
      EXPECT_EQ(test::content_of(path), at + 1 == calls ? new_text : old_text) << at;
      EXPECT_EQ(test::files_in(folder.path()), std::set<std::string>{"file"}) << at;
    }
}

TEST(Fault25, AShortWriteGoesOnWhereItEnded) {
  const std::size_t calls = calls_of_a_save();
  for (const std::size_t most : {1u, 7u, 999u}) {
    const test::TemporaryFolder folder;
    folder.write("file", old_text);
    const FileFaults faults({.most_bytes = most});
    save(folder / "file");
    EXPECT_EQ(test::content_of(folder / "file"), new_text);
    EXPECT_GT(faults.calls().size(), calls);
  }
}

TEST(Fault25, AWriteThatTakesNothingIsAFullDisk) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("file", old_text);
  const FileFaults faults({.most_bytes = 0});
  EXPECT_NE(test::error_of<FileError>([&] { save(path); }).find("No space left"),
            std::string::npos);
  EXPECT_EQ(test::content_of(path), old_text);
}

TEST(File, AppendsBehindWhatIsKept) {
  const test::TemporaryFolder temporary;
  const std::string path = temporary.write("log", "first\nsecond\n");
  const Folder folder("test", temporary.path());
  {
    AppendingFile log("test", folder, "log", 6);
    log.append("again\n");
    EXPECT_EQ(test::content_of(path), "first\n");
    log.flush();
    EXPECT_EQ(test::content_of(path), "first\nagain\n");
    log.append("last\n");
  }
  EXPECT_EQ(test::content_of(path), "first\nagain\nlast\n");
}

TEST(Fault25, ALogThatCannotBeWritten) {
  const test::TemporaryFolder temporary;
  const Folder folder("test", temporary.path());
  AppendingFile log("test", folder, "log");
  log.append("line\n");
  const FileFaults faults({.at = 1, .error = ENOSPC});  // the fsync
  EXPECT_NE(test::error_of<FileError>([&] { log.sync(); }).find("No space left"),
            std::string::npos);
}

TEST(File, AFolderIsLockedOnce) {
  const test::TemporaryFolder folder;
  Folder second("test", folder.path());
  {
    Folder first("test", folder.path());
    first.lock("test");
    const std::string text = test::error_of<FileError>([&] { second.lock("test"); });
    EXPECT_NE(text.find("another process"), std::string::npos) << text;
  }
  second.lock("test");
}

}  // namespace
}  // namespace unroll
