// Tasks in the thread team of a host program.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/parallel.h"
#include "support/child_process.h"
#include "support/tasks.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/threads.h"
#include "unroll/tensor/tensor.h"

namespace unroll {
namespace {

using test::runs_of;

/// A team that starts its threads anew for each call, and counts the calls.
std::atomic<int> team_size = 1, team_calls = 0;

const Executor team{[]() noexcept { return team_size.load(); },
                    [](int threads, void (*member)(void*), void* object) noexcept {
                      ++team_calls;
                      std::vector<std::thread> others;
                      for (int i = 1; i < threads; ++i) others.emplace_back(member, object);
                      member(object);
                      for (std::thread& other : others) other.join();
                    }};

class InTeam : public ::testing::Test {
 protected:
  InTeam() {
    team_size = 3;
    team_calls = 0;
    set_executor(&team);
  }
  ~InTeam() override { set_executor(nullptr); }
};

TEST_F(InTeam, EveryTaskRunsExactlyOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    team_size = threads;
    EXPECT_EQ(num_threads(), threads);
    EXPECT_EQ(threads_here(), threads);
    for (const std::size_t count : {0, 1, 2, 7, 1000})
      EXPECT_EQ(runs_of(count), std::vector<int>(count, 1)) << threads << " " << count;
  }
  EXPECT_EQ(team_calls.load(), 3 * 3);  // not for one thread, and not for fewer than two tasks
}

TEST_F(InTeam, TheTasksRunOnItsThreads) {
  std::atomic<int> arrived = 0;
  std::mutex mutex;
  std::set<std::thread::id> threads;
  parallel(3, [&](std::size_t) {
    ++arrived;
    while (arrived < 3) std::this_thread::yield();  // each task on a thread of its own
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(threads.size(), 3u);
  EXPECT_EQ(team_calls.load(), 1);
}

TEST_F(InTeam, NestedCallsRunOnTheTasksThread) {
  test::expect_nested_calls_on_the_tasks_thread();
  EXPECT_EQ(team_calls.load(), 1);
}

TEST_F(InTeam, TwoThreadsMayCallAtOnce) { test::expect_that_two_threads_may_call(200); }

TEST_F(InTeam, AnotherThreadMayGoBackToThePool) {
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0;
  std::thread other([&] {
    while (!stop)
      if (runs_of(9) != std::vector<int>(9, 1)) ++wrong;
  });
  for (int round = 0; round < 50; ++round) {
    set_executor(round % 2 ? &team : nullptr);
    if (runs_of(9) != std::vector<int>(9, 1)) ++wrong;
  }
  stop = true;
  other.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST_F(InTeam, TheBitsAreThoseOfThePool) {
  const Tensor a = Tensor::full({70, 300}, 0.1, DType::f32),
               b = Tensor::full({300, 90}, 0.3, DType::f32);
  const Tensor in_team = matmul(a, b);
  set_executor(nullptr);
  EXPECT_EQ(in_team.to_vector(), matmul(a, b).to_vector());
}

// The team's threads are not in the child.
TEST_F(InTeam, AChildOfForkHasAPoolOfItsOwn) {
  ASSERT_EQ(runs_of(9), std::vector<int>(9, 1));
  test::ChildProcess child([] {
    const int calls = team_calls;
    const bool all = runs_of(9) == std::vector<int>(9, 1);
    return std::string(all ? "all" : "not all") + (team_calls == calls ? ", no team" : ", team");
  });
  EXPECT_EQ(child.wait(), "all, no team");
}

}  // namespace
}  // namespace unroll
