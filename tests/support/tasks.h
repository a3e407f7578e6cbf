// What holds for tasks wherever they run: in the pool, or in the team of a host program.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "core/parallel.h"

namespace unroll::test {

/// How often each of `count` tasks ran.
inline std::vector<int> runs_of(std::size_t count) {
  std::vector<std::atomic<int>> runs(count);
  parallel(count, [&](std::size_t i) { ++runs[i]; });
  return {runs.begin(), runs.end()};
}

inline void expect_nested_calls_on_the_tasks_thread() {
  std::atomic<int> ran = 0, strays = 0;
  parallel(10, [&](std::size_t) {
    EXPECT_EQ(threads_here(), 1);
    const auto own = std::this_thread::get_id();
    parallel(10, [&](std::size_t) {
      ++ran;
      if (std::this_thread::get_id() != own) ++strays;
    });
  });
  EXPECT_EQ(ran.load(), 100);
  EXPECT_EQ(strays.load(), 0);
}

/// Two threads, each with `jobs` jobs.
inline void expect_that_two_threads_may_call(int jobs) {
  std::atomic<int> wrong = 0;
  const auto work = [&] {
    for (int job = 0; job < jobs; ++job)
      if (runs_of(16) != std::vector<int>(16, 1)) ++wrong;
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_EQ(wrong.load(), 0);
}

}  // namespace unroll::test
