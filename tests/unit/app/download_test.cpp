#include "app/download.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "support/child_process.h"
#include "support/loopback_server.h"
#include "support/scoped_variable.h"
#include "support/temporary_folder.h"
#include "unit/data/idx_files.h"

namespace unroll::app {
namespace {

using test::ChildProcess;
using test::error_of;
using test::expect_line;
using test::LoopbackServer;
using test::Reply;

// head -c 100000 /dev/zero | tr '\0' x | sha256sum
const std::string body(100000, 'x');
constexpr const char* body_sha256 =
    "d69e68988157833272305aaf21f453c800346e8a3640db6578e260215542e5d4";

std::string content_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Somewhere to download to.
struct Target {
  test::ScopedVariable no_proxy{"no_proxy", "*"};
  test::TemporaryFolder folder;
  std::string path = folder / "cache/set/file.gz";

  void get(const std::vector<std::string>& urls, const DownloadOptions& options = {}) {
    download(urls, path, body.size(), body_sha256, options);
  }

  // The wanted file is there and nothing else.
  void expect_only_the_file() {
    EXPECT_TRUE(content_of(path) == body);
    expect_files(1);
  }

  void expect_files(int wanted) {
    int files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path()))
      if (entry.is_regular_file()) ++files;
    EXPECT_EQ(files, wanted);
  }
};

TEST(Download, FetchesAndMakesTheFolder) {
  Target target;
  LoopbackServer server({{"/file.gz", {.body = body}}});
  target.get({server.url() + "file.gz"});
  target.expect_only_the_file();
  EXPECT_EQ(server.hits(), 1);
}

TEST(Faults, Row16_StatusMeansTheNextMirror) {
  Target target;
  LoopbackServer server({{"/403", {.status = 403}},
                         {"/503", {.status = 503, .body = "busy"}},
                         {"/good", {.body = body}}});
  target.get(
      {server.url() + "403", server.url() + "404", server.url() + "503", server.url() + "good"});
  target.expect_only_the_file();
  EXPECT_EQ(server.hits(), 4);
}

TEST(Faults, Row16_RetriesAreBounded) {
  Target target;
  LoopbackServer server({{"/403", {.status = 403}}, {"/503", {.status = 503}}});
  expect_line(error_of<Unreachable>([&] {
                target.get({server.url() + "403", server.url() + "404", server.url() + "503"},
                           {.rounds = 3});
              }),
              {target.path, "HTTP 403", "HTTP 404", "HTTP 503", "check the network"});
  EXPECT_EQ(server.hits(), 3 + 1 + 1);  // only what may pass is tried again
  target.expect_files(0);
  EXPECT_FALSE(std::filesystem::exists(target.folder / "cache"));
}

TEST(Faults, Row16_NobodyListens) {
  Target target;
  std::string url;
  {
    LoopbackServer server({});
    url = server.url();
  }
  expect_line(error_of<Unreachable>([&] { target.get({url + "file.gz"}); }), {url, target.path});
  target.expect_files(0);
}

TEST(Faults, Row17_CutAtHalf) {
  Target target;
  LoopbackServer server(
      {{"/cut", {.body = body, .sent = body.size() / 2}}, {"/good", {.body = body}}});
  EXPECT_THROW(target.get({server.url() + "cut"}), Unreachable);
  EXPECT_EQ(server.hits(), 2);
  target.expect_files(0);
  target.get({server.url() + "cut", server.url() + "good"});
  target.expect_only_the_file();
}

TEST(Faults, Row18_WrongHashOrSize) {
  Target target;
  std::string other = body;
  other[70000] = 'y';
  LoopbackServer server({{"/other", {.body = other}},
                         {"/short", {.body = body.substr(1)}},
                         {"/long", {.body = body + "x"}},
                         {"/good", {.body = body}}});
  for (const auto& [name, why] : {std::pair("other", "SHA-256"), std::pair("short", "99999 bytes"),
                                  std::pair("long", "more than 100000 bytes")}) {
    const std::string url = server.url() + name;
    expect_line(error_of<Unreachable>([&] { target.get({url}); }), {url, why});
    target.expect_files(0);
  }
  target.get({server.url() + "other", server.url() + "long", server.url() + "good"});
  target.expect_only_the_file();
}

TEST(Faults, Row19_StalledSocketTimesOut) {
  Target target;
  LoopbackServer server(
      {{"/stall", {.body = body, .sent = 10, .stall = true}}, {"/good", {.body = body}}});
  target.get({server.url() + "stall", server.url() + "good"}, {.stall_seconds = 1});
  target.expect_only_the_file();
}

std::atomic<bool> interrupted = false;

TEST(Faults, Row19_StalledSocketCanBeCancelled) {
  Target target;
  LoopbackServer server({{"/stall", {.body = body, .sent = 10, .stall = true}}});
  interrupted = false;
  std::thread user([&] {
    while (server.hits() == 0) std::this_thread::yield();
    interrupted = true;
  });
  EXPECT_THROW(target.get({server.url() + "stall", server.url() + "stall"},
                          {.stall_seconds = 200, .cancelled = [] { return interrupted.load(); }}),
               Cancelled);
  user.join();
  EXPECT_EQ(server.hits(), 1);
  target.expect_files(0);
}

TEST(Faults, Row20_TwoProcessesAtOnce) {
  Target target;
  LoopbackServer server({{"/good", {.body = body}}});
  const auto work = [&] {
    target.get({server.url() + "good"});
    return std::string("done");
  };
  ChildProcess first(work), second(work);
  EXPECT_EQ(first.wait(), "done");
  EXPECT_EQ(second.wait(), "done");
  target.expect_only_the_file();
}

TEST(Faults, Row21_RedirectsOnlyToHttps) {
  Target target;
  const std::string local = target.folder.write("local", body);
  LoopbackServer server({{"/good", {.body = body}}});
  LoopbackServer redirects({{"/file", {.status = 302, .location = "file://" + local}},
                            {"/http", {.status = 302, .location = server.url() + "good"}}});
  for (const char* name : {"file", "http"})
    expect_line(error_of<Unreachable>([&] { target.get({redirects.url() + name}); }),
                {"isn't https"});
  EXPECT_THROW(target.get({"file://" + local}), Unreachable);
  EXPECT_EQ(server.hits(), 0);
  target.expect_files(1);
}

TEST(Faults, Row22_FolderThatCannotBeMade) {
  Target target;
  LoopbackServer server({{"/good", {.body = body}}});
  target.path = target.folder.write("file", "in the way") + "/set/file.gz";
  expect_line(error_of<FileError>([&] { target.get({server.url() + "good"}); }),
              {"can't make the folder", target.folder / "file/set"});
  target.expect_files(1);
}

TEST(Faults, Row22_FolderThatIsReadOnly) {
  Target target;
  LoopbackServer server({{"/good", {.body = body}}});
  target.path = target.folder / "file.gz";
  ASSERT_EQ(::chmod(target.folder.path().c_str(), 0555), 0);
  ChildProcess child([&]() -> std::string {
    // Root may write everywhere; 65534 is nobody.
    if (::getuid() == 0 && ::setuid(65534) != 0) return "can't become nobody";
    target.get({server.url() + "good"});
    return "written";
  });
  expect_line(child.wait(), {target.path, "Permission denied"});
  ASSERT_EQ(::chmod(target.folder.path().c_str(), 0755), 0);
  target.expect_files(0);
}

TEST(Faults, Row22_DiskFull) {
  Target target;
  LoopbackServer server({{"/good", {.body = body}}});
  ChildProcess child([&]() -> std::string {
    // A limit of a file's size refuses a write as a full disk does.
    const rlimit limits{50000, 50000};
    std::signal(SIGXFSZ, SIG_IGN);
    if (::setrlimit(RLIMIT_FSIZE, &limits) != 0) return "can't limit";
    target.get({server.url() + "good"});
    return "written";
  });
  expect_line(child.wait(), {target.path, "can't write"});
  target.expect_files(0);
}

}  // namespace
}  // namespace unroll::app
