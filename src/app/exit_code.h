// Exit codes of the program (docs/robustness.md).
#pragma once

namespace unroll::app {

enum ExitCode { kOk = 0, kFailed = 1, kUsage = 2, kInterrupted = 130, kReaderGone = 141 };

}  // namespace unroll::app
