#include "support/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace unroll::test {
namespace {

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_of(const ProgramOptions& options, const std::string& cache) {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry; ++entry) {
    const std::string text = *entry;
    if (!text.starts_with("UNROLL_")) variables[text.substr(0, text.find('='))] = text;
  }
  const auto set = [&](const std::string& name, const std::string& value) {
    variables[name] = name + "=" + value;
  };
  set("XDG_CACHE_HOME", cache);
  // Nobody listens at this port: a test that reached for the network would fail at once.
  for (const char* proxy : {"http_proxy", "https_proxy"}) set(proxy, "http://127.0.0.1:9");
  for (const auto& [name, value] : options.environment) set(name, value);
  std::vector<std::string> all;
  for (const auto& [name, text] : variables) all.push_back(text);
  return all;
}

}  // namespace

bool has_terminals() {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (terminal >= 0) ::close(terminal);
  return terminal >= 0;
}

Program::Program(const std::vector<std::string>& arguments, const ProgramOptions& options) {
  // Streams and cache beside the folder it works in, not inside.
  const std::string in = folder_.write("stdin", options.input);
  std::filesystem::create_directories(folder_ / "work");

  std::vector<std::string> command{UNROLL_PROGRAM};
  if (!options.script.empty()) command = {"/bin/sh", "-c", options.script, UNROLL_PROGRAM};
  command.insert(command.end(), arguments.begin(), arguments.end());
  auto environment = environment_of(options, folder_ / "cache");

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  const int writing = O_WRONLY | O_CREAT | O_TRUNC;
  ::posix_spawn_file_actions_addopen(&actions, 0, in.c_str(), O_RDONLY, 0);
  std::string out = folder_ / "stdout", err = folder_ / "stderr";
  if (options.stderr_is_terminal || options.stdout_is_terminal) {
    folder_.write("stdout", "");
    open_terminal(options.columns);
    if (options.stdout_is_terminal) out = ::ptsname(terminal_);
    if (options.stderr_is_terminal) err = ::ptsname(terminal_);
  }
  ::posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), writing | O_NOCTTY, 0600);
  ::posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), writing | O_NOCTTY, 0600);
  ::posix_spawn_file_actions_addchdir_np(&actions, (folder_ / "work").c_str());
  const int error = ::posix_spawn(&id_, command[0].c_str(), &actions, nullptr,
                                  pointers_to(command).data(), pointers_to(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("can't start " + command[0]);
  if (terminal_ >= 0) reader_ = std::thread([this] { read_terminal(); });
}

Program::~Program() {
  if (id_ > 0 && !has_ended()) {
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }
  stop_reading();
  if (terminal_ >= 0) ::close(terminal_);
}

void Program::open_terminal(int columns) {
  terminal_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal_ < 0 || ::grantpt(terminal_) != 0 || ::unlockpt(terminal_) != 0)
    throw std::runtime_error("can't make a terminal");
  has_terminal_ = true;
  resize(columns);
}

void Program::resize(int columns) {
  winsize size{};
  size.ws_row = 24;
  size.ws_col = static_cast<unsigned short>(columns);
  if (::ioctl(terminal_, TIOCSWINSZ, &size) != 0)
    throw std::runtime_error("can't set the width of a terminal");
}

/// Reads until the program has closed its end, or until stop_reading().
void Program::read_terminal() {
  char buffer[4096];
  while (!stops_reading_) {
    pollfd ready = {terminal_, POLLIN, 0};
    if (::poll(&ready, 1, 10) == 0) continue;
    const ssize_t n = ::read(terminal_, buffer, sizeof buffer);
    if (n <= 0) return;
    const std::lock_guard lock(mutex_);
    shown_.append(buffer, static_cast<std::size_t>(n));
  }
}

void Program::stop_reading() {
  stops_reading_ = true;
  if (reader_.joinable()) reader_.join();
}

std::string Program::shown() {
  const std::lock_guard lock(mutex_);
  return shown_;
}

bool Program::has_ended() {
  if (id_ > 0 && ::waitpid(id_, &status_, WNOHANG) == id_) id_ = -1;
  return id_ <= 0;
}

void Program::wait_for_output(const std::string& text) { wait_for("stdout", text); }

void Program::wait_for_error(const std::string& text) { wait_for("stderr", text); }

void Program::hang_up() {
  stop_reading();
  ::close(terminal_);
  terminal_ = -1;
  const std::lock_guard lock(mutex_);
  shown_.clear();
}

void Program::wait_for(const std::string& name, const std::string& text) {
  for (;;) {
    const bool ended = has_ended();
    const bool on_terminal = has_terminal_ && name == "stderr";
    const std::string all = on_terminal ? shown() : content_of(folder_ / name);
    if (all.find(text) != std::string::npos) return;
    if (ended) throw std::runtime_error("it ended before it wrote " + text);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void Program::send_signal(int signal) {
  if (!has_ended()) ::kill(id_, signal);
}

ProgramResult Program::finish() {
  if (id_ > 0) ::waitpid(id_, &status_, 0);
  id_ = -1;
  if (reader_.joinable()) reader_.join();  // it reads all that is left
  return {WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_),
          content_of(folder_ / "stdout"), has_terminal_ ? shown() : content_of(folder_ / "stderr")};
}

ProgramResult run_program(const std::vector<std::string>& arguments,
                          const ProgramOptions& options) {
  return Program(arguments, options).finish();
}

std::string content_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::stringstream content;
  if (!stream ||
      (stream.peek() != std::ifstream::traits_type::eof() && !(content << stream.rdbuf())))
    throw std::runtime_error("can't read " + path);
  return content.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace unroll::test
