// Runs in child processes of this one.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

namespace unroll::app {

/// What a child process does, and how it ended.
struct ChildRun {
  std::function<int()> work;  ///< returns the exit code; its exceptions are printed as a command's
  bool started = false;
  int code = 0;               ///< of the process, once it has ended
  std::string messages = {};  ///< what it printed to stderr
};

/// Makes a child process for each run, in their order, at most `at_once` at a time. A child has no
/// stdin and no stdout. Calls `ended` with the index of each run that has ended; if that returns
/// false, or a signal asks this process to stop (run/stop_signal.h), no further run starts. The
/// signal is passed on, so that children stop in order; they also stop if this process is killed.
/// Returns when all children have ended. Throws std::system_error if there can be no child.
void run_children(std::span<ChildRun> runs, std::size_t at_once,
                  const std::function<bool(std::size_t index)>& ended);

}  // namespace unroll::app
