// The results of `unroll bench` as text and as JSON.
#pragma once

#include <string>
#include <vector>

#include "bench/laps.h"
#include "bench/workload.h"

namespace unroll::bench {

struct Measured {
  Workload workload;
  int threads = 1;
  Timing timing;
};

struct Report {
  std::string cpu, isa;
  int threads = 1;              // of workloads with several threads
  double peak_gflops_core = 0;  // one thread
  double peak_gflops_all = 0;   // `threads` threads
  double l2_gb_per_s = 0;       // one core
  std::size_t lanes = 1;        // f32 in a vector
  std::size_t l1_bytes = 0;     // of one core; 0: unknown
  std::vector<Measured> workloads = {};
};

/// GFLOP/s and shares are those of the best time.
std::string to_text(const Report& report);

/// One line.
std::string to_json(const Report& report, const std::string& version);

}  // namespace unroll::bench
