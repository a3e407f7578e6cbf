// Exit statuses of the program (docs/robustness.md).
#pragma once

#include <csignal>

namespace unroll::app {

/// What a shell says of a program that a signal ended.
constexpr int status_of_signal(int signal) { return 128 + signal; }

enum ExitCode { kOk = 0, kFailed = 1, kUsage = 2, kReaderGone = status_of_signal(SIGPIPE) };

inline constexpr const char* kExitCodesText =
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 141 nobody reads stdout;\n"
    "stopped by a signal: 129 SIGHUP, 130 SIGINT (Ctrl-C), 143 SIGTERM.";

}  // namespace unroll::app
