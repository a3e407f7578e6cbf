#include "run/interrupt.h"

#include <unistd.h>

#include <atomic>

namespace unroll::run {
namespace {

std::atomic<bool> flag{false};

extern "C" void on_interrupt(int) {
  if (flag.exchange(true)) _exit(128 + SIGINT);
}

}  // namespace

CatchInterrupts::CatchInterrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before_);
}

CatchInterrupts::~CatchInterrupts() { sigaction(SIGINT, &before_, nullptr); }

bool interrupted() { return flag.load(); }

}  // namespace unroll::run
