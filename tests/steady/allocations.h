// Counts what this executable asks of the system: its own malloc, free, operator new, mmap and the
// like take the place of the C library's.
#pragma once

#include <string>

namespace unroll::test {

/// From here on every call, by any thread, is counted.
void start_watching();

/// How often each function was called since then, "malloc 2, operator new 1"; empty where none was.
std::string stop_watching();

/// The call of operator new that comes after so many others throws std::bad_alloc, once; -1: none.
void fail_allocation(long after);

/// How many mutexes were locked, or tried to be, since start_watching().
long locks_seen();

}  // namespace unroll::test
