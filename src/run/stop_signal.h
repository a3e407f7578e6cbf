// Signals that ask the program to end: SIGINT (Ctrl-C), SIGTERM (kill, Slurm, Kubernetes, docker
// stop) and SIGHUP (the terminal is gone). The first lets the work end in order, the second ends
// the process at once.
#pragma once

#include <array>
#include <csignal>
#include <string_view>

namespace unroll::run {

/// While one lives, the first of these signals is only noted. A second one, also another of the
/// three, ends the process with 128 + its number.
///
/// A signal that is ignored stays ignored: nohup does that with SIGHUP, and a shell without job
/// control with the SIGINT of what it starts with &.
class CatchStopSignals {
 public:
  CatchStopSignals();
  ~CatchStopSignals();  // back to what was before
  CatchStopSignals(const CatchStopSignals&) = delete;
  CatchStopSignals& operator=(const CatchStopSignals&) = delete;

 private:
  std::array<struct sigaction, 3> before_{};
};

/// The first of them that came, or 0.
int stop_signal();
/// Whether one came.
bool stop_requested();

/// "SIGINT", "SIGTERM" or "SIGHUP".
std::string_view name_of_signal(int signal);

}  // namespace unroll::run
