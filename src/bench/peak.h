// Measures the machine's limits with the instruction set in use.
#pragma once

#include <cstddef>

namespace unroll::bench {

/// The number of f32 in a vector of the instruction set in use.
std::size_t vector_lanes();

/// GFLOP/s of fused multiply-adds of f32 in registers, all `threads` threads together. One
/// multiply-add counts as two operations. The best of the repetitions that fit into `seconds`, at
/// least one. The pool must have this number of threads.
double fma_gflops(int threads, double seconds);

/// GB/s that one core reads from its L2 cache. Repeated like fma_gflops.
double l2_gb_per_s(double seconds);

}  // namespace unroll::bench
