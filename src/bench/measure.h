// Runs a workload and measures the time.
#pragma once

#include "bench/laps.h"
#include "bench/workload.h"

namespace unroll::bench {

/// Runs the workload again and again on generated data, for `limit` seconds in all, at least once.
/// Sets the pool to `threads` threads. Calls `between` beside the runs.
Timing measure(const Workload& workload, int threads, double limit, BetweenLaps between);

}  // namespace unroll::bench
