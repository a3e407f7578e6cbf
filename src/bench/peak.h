// What the machine can do at best, measured with the instruction set in use.
#pragma once

#include <cstddef>

namespace unroll::bench {

/// Numbers of f32 in a vector of the instruction set in use.
std::size_t vector_lanes();

/// Fused multiply-adds of f32 from and to registers, in GFLOP/s of `threads` threads together (one
/// multiply-add is two operations): the best of the repetitions that fit into `seconds`, at least
/// one. Uses the pool of threads, which must have that many.
double fma_gflops(int threads, double seconds);

/// What one core reads from its L2 cache, in GB/s; repeated like fma_gflops.
double l2_gb_per_s(double seconds);

}  // namespace unroll::bench
