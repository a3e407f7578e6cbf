// Signals that ask the program to stop: SIGINT (Ctrl-C), SIGTERM (kill, Slurm, Kubernetes, docker
// stop) and SIGHUP (the terminal was closed). After the first signal, the program stops in order.
// The second one ends the process at once.
#pragma once

#include <array>
#include <csignal>
#include <string_view>

namespace unroll::run {

/// During its life, the first of these signals is only noted. A second one, of any of the three
/// kinds, ends the process with exit code 128 + its number.
///
/// An ignored signal stays ignored. nohup ignores SIGHUP. A shell without job control ignores
/// SIGINT for programs that it starts with &.
class CatchStopSignals {
 public:
  CatchStopSignals();
  ~CatchStopSignals();  // restores the handlers
  CatchStopSignals(const CatchStopSignals&) = delete;
  CatchStopSignals& operator=(const CatchStopSignals&) = delete;

 private:
  std::array<struct sigaction, 3> before_{};
};

/// The first signal that arrived, or 0.
int stop_signal();
bool stop_requested();

/// "SIGINT", "SIGTERM" or "SIGHUP".
std::string_view name_of_signal(int signal);

}  // namespace unroll::run
