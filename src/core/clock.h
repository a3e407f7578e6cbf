// The clock, for times that people read. No result depends on it.
#pragma once

#include <chrono>

namespace unroll {

using Clock = std::chrono::steady_clock;

inline double seconds(Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

inline double seconds_since(Clock::time_point start) { return seconds(Clock::now() - start); }

}  // namespace unroll
