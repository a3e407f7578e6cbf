// The machine that a measurement was taken on.
#pragma once

#include <cstddef>
#include <string>

namespace unroll::bench {

/// The system's name of the CPU, or "unknown".
std::string cpu_name();

/// Sizes of one core's data caches, in bytes; 0 if the system does not tell.
std::size_t l1_bytes();
std::size_t l2_bytes();

}  // namespace unroll::bench
