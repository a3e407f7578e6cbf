// Exit codes of the program.
#pragma once

namespace unroll::app {

enum ExitCode { kOk = 0, kFailed = 1, kUsage = 2, kInterrupted = 130 };

}  // namespace unroll::app
