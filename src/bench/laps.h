// Measures the times of equal pieces of work that follow each other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/clock.h"

namespace unroll::bench {

/// Seconds of one run.
struct Timing {
  std::int64_t runs = 0;
  double best = 0, median = 0;
  double p999 = 0;  ///< 99.9th percentile of runs timed one by one; 0 if there were none
};

/// Best and median; zeros if there are no times.
inline Timing timing_of(std::vector<double> times) {
  if (times.empty()) return {};
  std::ranges::sort(times);
  const std::size_t n = times.size();
  return {static_cast<std::int64_t>(n), times.front(), (times[(n - 1) / 2] + times[n / 2]) / 2};
}

/// The 99.9th percentile of the times; 0 if there are none.
inline double p999_of(std::vector<double> times) {
  if (times.empty()) return 0;
  const auto place =
      times.begin() + static_cast<std::ptrdiff_t>((999 * times.size() + 999) / 1000) - 1;
  std::ranges::nth_element(times, place);
  return *place;
}

/// Functions called between the laps.
struct BetweenLaps {
  std::function<bool()> stop;           ///< whether to stop; called after every lap
  std::function<void()> pause = [] {};  ///< called every tenth of a second; its time is not counted
};

/// Measures the time between calls of lap(). The first laps are not counted: they warm up and
/// allocate memory.
class Laps {
 public:
  /// done() is true after `limit` seconds of laps (at least one lap), or when `between.stop` says
  /// so.
  Laps(double limit, BetweenLaps between) : limit_(limit), between_(std::move(between)) {
    times_.reserve(kMost);
  }

  void lap() {
    const auto now = Clock::now();
    if (warm_up_ > 0) {
      --warm_up_;
    } else {
      times_.push_back(seconds(now - before_));
      total_ += times_.back();
    }
    if (total_ >= next_pause_) {
      between_.pause();
      next_pause_ = total_ + 0.1;
    }
    before_ = Clock::now();
  }

  /// Starts the next lap now: the time since the last lap is not counted.
  void resume() { before_ = Clock::now(); }

  bool done() const {
    return between_.stop() || times_.size() == kMost || (!times_.empty() && total_ >= limit_);
  }

  Timing result() const { return timing_of(times_); }

 private:
  static constexpr std::size_t kMost = 1 << 16;  // most laps; reserved before the first one

  double limit_, total_ = 0, next_pause_ = 0.1;
  BetweenLaps between_;
  int warm_up_ = 2;
  std::vector<double> times_;
  Clock::time_point before_ = Clock::now();
};

}  // namespace unroll::bench
