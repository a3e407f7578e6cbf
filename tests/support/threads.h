// The number of threads in a test.
#pragma once

#include "unroll/core/threads.h"

namespace unroll::test {

/// Sets the number of threads, and restores it at the end.
class Threads {
 public:
  explicit Threads(int count) : before_(num_threads()) { set_num_threads(count); }
  ~Threads() { set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

}  // namespace unroll::test
