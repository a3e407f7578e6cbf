#include "support/loopback_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string_view>

namespace unroll::test {
namespace {

void send_all(int connection, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

bool readable(int descriptor) {
  pollfd waiting{descriptor, POLLIN, 0};
  return ::poll(&waiting, 1, 20) > 0;
}

}  // namespace

LoopbackServer::LoopbackServer(std::map<std::string, Reply> replies)
    : replies_(std::move(replies)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (listener_ < 0 || ::bind(listener_, generic, size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, generic, &size) != 0)
    throw std::runtime_error("can't listen on the loopback interface");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

LoopbackServer::~LoopbackServer() {
  stop_ = true;
  thread_.join();
  ::close(listener_);
}

std::string LoopbackServer::url() const { return fmt::format("http://127.0.0.1:{}/", port_); }

void LoopbackServer::serve() {
  while (!stop_) {
    if (!readable(listener_)) continue;
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    ++hits_;
    answer(connection);
    ::close(connection);
  }
}

void LoopbackServer::answer(int connection) {
  std::string request;
  char buffer[4096];
  while (request.find("\r\n\r\n") == request.npos) {
    if (stop_) return;
    if (!readable(connection)) continue;
    const ssize_t n = ::recv(connection, buffer, sizeof buffer, 0);
    if (n <= 0) return;
    request.append(buffer, static_cast<std::size_t>(n));
  }
  const auto begin = request.find(' ') + 1;
  std::string path = request.substr(begin, request.find(' ', begin) - begin);
  constexpr std::string_view scheme = "http://";  // asked as a proxy
  if (path.starts_with(scheme)) path.erase(0, path.find('/', scheme.size()));
  const auto found = replies_.find(path);
  const Reply reply = found == replies_.end() ? Reply{.status = 404} : found->second;
  std::string head = fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\nConnection: close\r\n",
                                 reply.status, reply.body.size());
  if (!reply.location.empty()) head += "Location: " + reply.location + "\r\n";
  send_all(connection, head + "\r\n");
  send_all(connection, std::string_view(reply.body).substr(0, reply.sent));
  if (!reply.stall) return;
  while (!stop_)
    if (readable(connection) && ::recv(connection, buffer, sizeof buffer, 0) <= 0) return;
}

}  // namespace unroll::test
