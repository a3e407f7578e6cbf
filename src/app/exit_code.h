// Exit statuses of the program (docs/robustness.md).
#pragma once

#include <csignal>

namespace unroll::app {

/// The exit code that a shell reports for a program that a signal ended.
constexpr int status_of_signal(int signal) { return 128 + signal; }

enum ExitCode { kOk = 0, kFailed = 1, kUsage = 2, kReaderGone = status_of_signal(SIGPIPE) };

}  // namespace unroll::app
