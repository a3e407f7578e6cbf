// Ctrl-C: once finishes the step, twice ends at once.
#pragma once

#include <csignal>

namespace unroll::run {

/// While one lives, the first SIGINT only sets a flag, and a second one ends the process with 130.
class CatchInterrupts {
 public:
  CatchInterrupts();
  ~CatchInterrupts();  // back to what was before
  CatchInterrupts(const CatchInterrupts&) = delete;
  CatchInterrupts& operator=(const CatchInterrupts&) = delete;

 private:
  struct sigaction before_;
};

/// Whether there was one.
bool interrupted();

}  // namespace unroll::run
