// A small HTTP server on this machine that answers well or badly, as a test wants.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <thread>

namespace unroll::test {

struct Reply {
  int status = 200;
  std::string body = {};
  std::string location = {};  ///< of a redirect
  std::size_t sent =
      std::string::npos;  ///< bytes of the body that are sent, of all those announced
  bool stall = false;     ///< after those: silence until the client leaves, else it closes
};

class LoopbackServer {
 public:
  /// Answers each path ("/file") with its reply, other paths with 404. As an HTTP proxy too, in the
  /// place of every host.
  explicit LoopbackServer(std::map<std::string, Reply> replies);
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  std::string url() const;            ///< "http://127.0.0.1:PORT/"
  int hits() const { return hits_; }  ///< connections so far

 private:
  void serve();
  void answer(int connection);

  std::map<std::string, Reply> replies_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> hits_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace unroll::test
