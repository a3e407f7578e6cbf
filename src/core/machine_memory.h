// The memory of this machine.
#pragma once

#include <cstdint>

namespace unroll {

/// Bytes of memory of this machine, used or not; the largest number if the system does not say.
std::uint64_t machine_memory();

}  // namespace unroll
