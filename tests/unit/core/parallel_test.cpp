#include "core/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/tasks.h"
#include "unroll/core/error.h"
#include "unroll/core/threads.h"

namespace unroll {
namespace {

using test::runs_of;

/// Puts the number of threads back at the end of a test.
class Pool : public ::testing::Test {
 protected:
  ~Pool() override { set_num_threads(before_); }

 private:
  int before_ = num_threads();
};

TEST_F(Pool, EveryTaskRunsExactlyOnce) {
  for (const int threads : {1, 2, 3, 8, 40}) {
    set_num_threads(threads);
    EXPECT_EQ(num_threads(), threads);
    for (const std::size_t count : {0, 1, 2, 3, 7, 100, 5000})
      EXPECT_EQ(runs_of(count), std::vector<int>(count, 1)) << threads << " " << count;
  }
}

// Jobs in quick succession: a worker that wakes up late meets a later job.
TEST_F(Pool, ManySmallJobs) {
  set_num_threads(4);
  for (int job = 0; job < 20000; ++job) {
    std::atomic<int> ran = 0;
    const std::size_t count = 2 + static_cast<std::size_t>(job % 5);
    parallel(count, [&](std::size_t) { ran.fetch_add(1, std::memory_order_relaxed); });
    ASSERT_EQ(ran.load(), static_cast<int>(count));
  }
}

TEST_F(Pool, ResultsOfTasksAreVisibleToTheCaller) {
  set_num_threads(3);
  for (int job = 0; job < 1000; ++job) {
    std::vector<int> results(64);
    parallel(results.size(), [&](std::size_t i) { results[i] = static_cast<int>(i) + job; });
    for (std::size_t i = 0; i < results.size(); ++i)
      ASSERT_EQ(results[i], static_cast<int>(i) + job);
  }
}

TEST_F(Pool, NestedCallsRunOnTheTasksThread) {
  for (const int threads : {1, 4}) {
    set_num_threads(threads);
    test::expect_nested_calls_on_the_tasks_thread();
  }
}

TEST_F(Pool, TwoThreadsMayCallAtOnce) {
  set_num_threads(3);
  test::expect_that_two_threads_may_call(2000);
}

TEST_F(Pool, ThreadsCanChangeWhileAnotherComputes) {
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0;
  std::thread other([&] {
    while (!stop)
      if (runs_of(9) != std::vector<int>(9, 1)) ++wrong;
  });
  for (int round = 0; round < 50; ++round) set_num_threads(1 + round % 4);
  stop = true;
  other.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST_F(Pool, ZeroMeansTheCores) {
  set_num_threads(3);
  set_num_threads(0);
  EXPECT_GE(num_threads(), 1);
}

TEST_F(Pool, ImpossibleNumbersAreRefused) {
  set_num_threads(2);
  for (const int count : {-1, 1025}) {
    try {
      set_num_threads(count);
      ADD_FAILURE() << count << " accepted";
    } catch (const ValueError& error) {
      EXPECT_EQ(error.what(),
                "[threads] " + std::to_string(count) +
                    " threads given, expected 1 to 1024, or 0 for the number of cores");
    }
  }
  EXPECT_EQ(num_threads(), 2);
}

}  // namespace
}  // namespace unroll
