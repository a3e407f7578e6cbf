#include "app/download.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "app/curl_library.h"
#include "support/child_process.h"
#include "support/loopback_server.h"
#include "support/program.h"
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

// libcurl before 7.85, which does not know the protocols by their names: every other option goes to
// the real one.
struct OldCurl {
  static inline std::vector<std::pair<int, long>> bits;
  static inline int refused = 0;  // an option

  static CURLcode setopt(CURL* handle, CURLoption option, ...) {
    va_list list;
    va_start(list, option);
    void* const value = va_arg(list, void*);  // each of ours is a pointer or as long as one
    va_end(list);
    const int number = static_cast<int>(option);
    if (number == refused) return CURLE_NOT_BUILT_IN;
    if (number == 10318 || number == 10319) return CURLE_UNKNOWN_OPTION;
    if (number == 181 || number == 182)
      bits.emplace_back(number, static_cast<long>(reinterpret_cast<std::intptr_t>(value)));
    return CurlLibrary::get().easy_setopt(handle, option, value);
  }
};

class Trial21Curl : public testing::Test {
 protected:
  Trial21Curl() {
    OldCurl::bits.clear();
    OldCurl::refused = 0;
    old_.easy_setopt = &OldCurl::setopt;
  }
  ~Trial21Curl() override { old_.easy_cleanup(handle_); }

  test::ScopedVariable no_proxy_{"no_proxy", "*"};
  CurlLibrary old_ = CurlLibrary::get();
  CURL* handle_ = old_.easy_init();
};

TEST_F(Trial21Curl, BeforeVersion785ProtocolsAreBits) {
  old_.set_protocols(handle_);
  // CURLPROTO_HTTP is 1, CURLPROTO_HTTPS is 2.
  EXPECT_EQ(OldCurl::bits, (std::vector<std::pair<int, long>>{{181, 3}, {182, 2}}));
}

// They are more than recorded: neither another protocol nor a redirect to http is followed.
TEST_F(Trial21Curl, TheBitsAreObeyed) {
  LoopbackServer server(
      {{"/moved", {.status = 302, .location = "/file.gz"}}, {"/file.gz", {.body = body}}});
  old_.set_protocols(handle_);
  old_.set(handle_, CURLOPT_FOLLOWLOCATION, 1L);
  const std::string url = server.url() + "moved";
  old_.set(handle_, CURLOPT_URL, url.c_str());
  EXPECT_EQ(old_.easy_perform(handle_), CURLE_UNSUPPORTED_PROTOCOL);
  old_.set(handle_, CURLOPT_URL, "file:///dev/null");
  EXPECT_EQ(old_.easy_perform(handle_), CURLE_UNSUPPORTED_PROTOCOL);
  EXPECT_EQ(server.hits(), 1);
}

TEST_F(Trial21Curl, AnOptionThatIsRefusedIsAnError) {
  OldCurl::refused = CURLOPT_MAXREDIRS;
  const auto set = [&] { old_.set(handle_, CURLOPT_MAXREDIRS, 5L); };
  expect_line(error_of<Error>(set), {"libcurl.so.4", "option 68 ", "update libcurl"});
  for (const int option : {181, 182, 10318}) {
    OldCurl::refused = option;
    expect_line(error_of<Error>([&] { old_.set_protocols(handle_); }),
                {"option " + std::to_string(option)});
  }
}

TEST(Fault16, StatusMeansTheNextMirror) {
  Target target;
  LoopbackServer server({{"/403", {.status = 403}},
                         {"/503", {.status = 503, .body = "busy"}},
                         {"/good", {.body = body}}});
  target.get(
      {server.url() + "403", server.url() + "404", server.url() + "503", server.url() + "good"});
  target.expect_only_the_file();
  EXPECT_EQ(server.hits(), 4);
}

TEST(Fault16, RetriesAreBounded) {
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

TEST(Fault16, NobodyListens) {
  Target target;
  std::string url;
  {
    LoopbackServer server({});
    url = server.url();
  }
  expect_line(error_of<Unreachable>([&] { target.get({url + "file.gz"}); }), {url, target.path});
  target.expect_files(0);
}

TEST(Fault17, CutAtHalf) {
  Target target;
  LoopbackServer server(
      {{"/cut", {.body = body, .sent = body.size() / 2}}, {"/good", {.body = body}}});
  EXPECT_THROW(target.get({server.url() + "cut"}), Unreachable);
  EXPECT_EQ(server.hits(), 2);
  target.expect_files(0);
  target.get({server.url() + "cut", server.url() + "good"});
  target.expect_only_the_file();
}

TEST(Fault18, WrongHashOrSize) {
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

TEST(Fault19, StalledSocketTimesOut) {
  Target target;
  LoopbackServer server(
      {{"/stall", {.body = body, .sent = 10, .stall = true}}, {"/good", {.body = body}}});
  target.get({server.url() + "stall", server.url() + "good"}, {.stall_seconds = 1});
  target.expect_only_the_file();
}

std::atomic<bool> interrupted = false;

TEST(Fault19, StalledSocketCanBeCancelled) {
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

TEST(Fault20, TwoProcessesAtOnce) {
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

TEST(Fault21, RedirectsOnlyToHttps) {
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

TEST(Fault22, FolderThatCannotBeMade) {
  Target target;
  LoopbackServer server({{"/good", {.body = body}}});
  target.path = target.folder.write("file", "in the way") + "/set/file.gz";
  expect_line(error_of<FileError>([&] { target.get({server.url() + "good"}); }),
              {"can't make the folder", target.folder / "file/set"});
  target.expect_files(1);
}

TEST(Fault22, FolderThatIsReadOnly) {
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

TEST(Fault22, DiskFull) {
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

// The same as a user has it. The mirrors of fashion-mnist speak HTTP, so that a proxy is all of
// them.

/// `unroll data fetch fashion-mnist` with an empty cache and mirrors that answer so for every file.
struct Fetching {
  LoopbackServer server;
  test::Program program;

  explicit Fetching(const Reply& reply)
      : server([&] {
          std::map<std::string, Reply> replies;
          for (const char* file :
               {test::train_images, test::train_labels, test::test_images, test::test_labels})
            replies["/" + std::string(file) + ".gz"] = reply;
          return replies;
        }()),
        program({"data", "fetch", "fashion-mnist"},
                {.environment = {{"http_proxy", server.url()}, {"no_proxy", ""}}}) {}

  /// Beside the line that says what is fetched there is one, and it has these parts; nothing is in
  /// the cache.
  void expect_refused(const std::vector<std::string>& parts, int code = 1) {
    const auto result = program.finish();
    EXPECT_EQ(result.code, code);
    EXPECT_EQ(result.out, "");
    EXPECT_GE(server.hits(), 1);
    std::vector<std::string> errors;
    for (const std::string& line : test::lines_of(result.err))
      if (!line.starts_with("downloading http://fashion-mnist.")) errors.push_back(line);
    ASSERT_EQ(errors.size(), 1u) << result.err;
    for (const std::string& part : parts)
      EXPECT_NE(errors[0].find(part), std::string::npos) << part << " in\n" << errors[0];
    const std::string cache = program.folder() / "cache";
    if (!std::filesystem::exists(cache)) return;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(cache))
      EXPECT_FALSE(entry.is_regular_file()) << entry.path();
  }
};

constexpr const char* smallest = "t10k-labels-idx1-ubyte.gz";  // fetched first
constexpr std::size_t smallest_size = 5148;

TEST(Fault16, TheProgramSaysTheStatus) {
  Fetching({.status = 404}).expect_refused({smallest, "HTTP 404", "check the network"});
  Fetching({.status = 503}).expect_refused({smallest, "HTTP 503", "check the network"});
}

TEST(Fault17, TheProgramLeavesNothingOfAHalf) {
  Fetching({.body = std::string(smallest_size, 'x'), .sent = smallest_size / 2})
      .expect_refused({smallest, "check the network"});
}

TEST(Fault18, TheProgramLeavesNothingWithAnotherHash) {
  Fetching({.body = std::string(smallest_size, 'x')})
      .expect_refused({smallest, "SHA-256", "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35d"});
}

TEST(Fault19, TheProgramEndsOnCtrlC) {
  Fetching fetching({.body = std::string(smallest_size, 'x'), .sent = 10, .stall = true});
  while (fetching.server.hits() == 0) std::this_thread::yield();
  fetching.program.send_signal(SIGINT);
  fetching.expect_refused({"stopped", "nothing was written"}, 130);
}

TEST(Trial07, TheProgramEndsOnOtherSignalsToo) {
  for (const int signal : {SIGTERM, SIGHUP}) {
    Fetching fetching({.body = std::string(smallest_size, 'x'), .sent = 10, .stall = true});
    while (fetching.server.hits() == 0) std::this_thread::yield();
    fetching.program.send_signal(signal);
    fetching.expect_refused({"stopped", "nothing was written"}, 128 + signal);
  }
}

TEST(Fault21, TheProgramFollowsNoRedirectToAFile) {
  const test::TemporaryFolder folder;
  const std::string file = folder.write("file", std::string(smallest_size, 'x'));
  Fetching({.status = 302, .location = "file://" + file})
      .expect_refused({smallest, "isn't https", "check the network"});
}

TEST(Fault23, TheProgramTrainsFromTheCacheWithoutTheNetwork) {
  const test::TemporaryFolder cache;
  test::write_set(cache, "unroll/fashion-mnist");
  LoopbackServer server({});
  const auto result =
      test::run_program({"train", "fashion-mnist", "--steps", "1", "--batch-size", "10"},
                        {.environment = {{"XDG_CACHE_HOME", cache.path()},
                                         {"http_proxy", server.url()},
                                         {"https_proxy", server.url()},
                                         {"no_proxy", ""}}});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(server.hits(), 0);
}

}  // namespace
}  // namespace unroll::app
