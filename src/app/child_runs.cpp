#include "app/child_runs.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <system_error>
#include <thread>
#include <vector>

#include "app/command_line.h"
#include "app/exit_code.h"
#include "run/stop_signal.h"

namespace unroll::app {
namespace {

/// Throws what errno says.
[[noreturn]] void refuse_child(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// A process, and a file without a name that takes its stderr.
struct Process {
  std::size_t index;
  pid_t id;
  int messages;
};

/// What a child does before its work. A terminal sends ^C to all processes; only the parent takes
/// it, and passes it on.
void settle_child(pid_t parent, int messages) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(status_of_signal(SIGTERM));  // it has gone already
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  const int nothing = ::open("/dev/null", O_RDWR);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(nothing, STDOUT_FILENO);
  ::dup2(messages, STDERR_FILENO);
  if (nothing > STDERR_FILENO) ::close(nothing);
}

Process start(const ChildRun& run, std::size_t index) {
  const int messages = ::memfd_create("messages", MFD_CLOEXEC);
  if (messages < 0) refuse_child("can't keep the messages of a run");
  std::fflush(stdout);  // else the child has its text, too
  const pid_t parent = ::getpid(), id = ::fork();
  if (id < 0) {
    ::close(messages);
    refuse_child("can't start a process for a run");
  }
  if (id > 0) return {index, id, messages};
  settle_child(parent, messages);
  const int code = finish_work(run.work);
  // No destructors: files and locks of the parent are not the child's.
  ::_exit(code);
}

std::string text_of_file(int descriptor) {
  std::string text;
  std::array<char, 4096> piece;
  for (off_t at = 0;;) {
    const ssize_t bytes = ::pread(descriptor, piece.data(), piece.size(), at);
    if (bytes <= 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(bytes));
    at += bytes;
  }
}

/// Whether the process has ended; then takes its exit code and messages.
bool has_ended(const Process& process, ChildRun& run) {
  int status = 0;
  if (::waitpid(process.id, &status, WNOHANG) != process.id) return false;
  run.code = WIFSIGNALED(status) ? status_of_signal(WTERMSIG(status)) : WEXITSTATUS(status);
  run.messages = text_of_file(process.messages);
  ::close(process.messages);
  return true;
}

}  // namespace

void run_children(std::span<ChildRun> runs, std::size_t at_once,
                  const std::function<bool(std::size_t index)>& ended) {
  std::vector<Process> processes;
  std::size_t next = 0;
  bool goes_on = true, told = false;
  const auto stop = [&] {
    for (const Process& process : processes) ::kill(process.id, SIGTERM);
    told = true;
  };
  while (true) {
    if (run::stop_requested()) {
      goes_on = false;
      if (!told) stop();
    }
    for (; goes_on && next < runs.size() && processes.size() < at_once; ++next) {
      try {
        processes.push_back(start(runs[next], next));
      } catch (const std::system_error&) {
        if (processes.empty()) throw;
        break;  // the machine has room for fewer: try again when one has ended
      }
      runs[next].started = true;
    }
    if (processes.empty()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    for (std::size_t i = 0; i < processes.size();) {
      const std::size_t index = processes[i].index;
      if (!has_ended(processes[i], runs[index])) {
        ++i;
        continue;
      }
      processes.erase(processes.begin() + static_cast<std::ptrdiff_t>(i));
      goes_on &= ended(index);
    }
  }
}

}  // namespace unroll::app
