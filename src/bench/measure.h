// Runs a workload and takes the time.
#pragma once

#include "bench/laps.h"
#include "bench/workload.h"

namespace unroll::bench {

/// Many runs on data made here, `limit` seconds in all (one run at least), on `threads` threads,
/// which are what the pool has while `between` is called.
Timing measure(const Workload& workload, int threads, double limit, BetweenLaps between);

}  // namespace unroll::bench
