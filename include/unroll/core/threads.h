// The number of threads that Unroll computes with.
#pragma once

#include "unroll/core/api.h"

namespace unroll {

/// Sets the number of threads, including the caller's. 0 means the cores that this process may use,
/// by its affinity and the CPU quotas of its control groups. Results are bit-identical for any
/// number.
///
/// Waits for a computation in progress. A child of fork() keeps the number and starts its threads
/// when it first needs them. The threads block all signals that are sent to the process.
/// Throws ValueError for a negative number or one above 1024.
UNROLL_API void set_num_threads(int count);

/// The number of threads in use. In a host program whose own threads do the work, such as PyTorch,
/// it is the host's number.
UNROLL_API int num_threads();

}  // namespace unroll
