// The machine that a measurement was taken on.
#pragma once

#include <cstddef>
#include <string>

namespace unroll::bench {

/// The CPU as the system calls it, or "unknown".
std::string cpu_name();

/// Bytes of one core's caches of data; 0 where the system does not say.
std::size_t l1_bytes();
std::size_t l2_bytes();

}  // namespace unroll::bench
