#include "run/stop_signal.h"

#include <unistd.h>

#include <atomic>
#include <cstddef>

namespace unroll::run {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

std::atomic<int> first{0};
static_assert(std::atomic<int>::is_always_lock_free);  // a handler may use nothing else

extern "C" void on_stop_signal(int signal) {
  int none = 0;
  if (!first.compare_exchange_strong(none, signal)) _exit(128 + signal);
}

}  // namespace

CatchStopSignals::CatchStopSignals() {
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  action.sa_flags = SA_RESTART;  // output in progress is written to its end
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], nullptr, &before_[i]);
    if (before_[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
  }
}

CatchStopSignals::~CatchStopSignals() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
}

int stop_signal() { return first.load(); }

bool stop_requested() { return stop_signal() != 0; }

std::string_view name_of_signal(int signal) {
  return signal == SIGTERM ? "SIGTERM" : signal == SIGHUP ? "SIGHUP" : "SIGINT";
}

}  // namespace unroll::run
