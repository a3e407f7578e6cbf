// The pool of threads and workspaces where memory is short.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <new>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "core/workspace.h"
#include "steady/allocations.h"
#include "support/child_process.h"
#include "unroll/core/threads.h"

namespace unroll {
namespace {

/// What `work` returns in a child, which has no pool yet.
std::string in_child(const std::function<std::string()>& work) {
  test::ChildProcess child(work);
  return child.wait();
}

std::string works() {
  constexpr std::size_t kTasks = 100;
  std::atomic<int> runs[kTasks] = {};
  parallel(kTasks, [&](std::size_t i) { ++runs[i]; });
  for (const auto& count : runs)
    if (count != 1) return "a task ran " + std::to_string(count) + " times";
  return "works";
}

// More than a pool of three threads asks for, with and without the number of cores.
constexpr long kAllocations = 60;

TEST(Trial21Pool, AFirstUseWithoutMemoryStaysOnTheCallersThread) {
  const int before = num_threads();
  for (const int threads : {3, 0}) {
    set_num_threads(threads);
    for (long failing = 0; failing < kAllocations; ++failing)
      ASSERT_EQ(in_child([&] {
                  test::fail_allocation(failing);
                  const std::string first = works();
                  test::fail_allocation(-1);
                  return first + ", " + works();
                }),
                "works, works")
          << failing;
  }
  set_num_threads(before);
}

TEST(Trial21Pool, SettingTheThreadsWithoutMemoryThrowsOrGivesFewer) {
  int thrown = 0, fewer = 0;
  for (long failing = 0; failing < kAllocations; ++failing) {
    const std::string said = in_child([&]() -> std::string {
      set_num_threads(2);
      std::string outcome;
      test::fail_allocation(failing);
      try {
        set_num_threads(3);
        test::fail_allocation(-1);
        outcome = num_threads() < 3 ? "fewer" : "all";
      } catch (const std::bad_alloc&) {
        test::fail_allocation(-1);
        outcome = num_threads() == 2 ? "thrown" : "thrown, and another number of threads";
      }
      if (works() != "works") return "does not work";
      set_num_threads(3);
      return num_threads() == 3 ? outcome : "not mended";
    });
    ASSERT_TRUE(said == "thrown" || said == "fewer" || said == "all") << failing << ": " << said;
    thrown += said == "thrown";
    fewer += said == "fewer";
  }
  EXPECT_GT(thrown, 0);
  EXPECT_GT(fewer, 0);
}

// A destructor gives back, and can't fail.
TEST(Trial21Pool, GivingBackToAWorkspaceAsksForNothing) {
  Workspace workspace;
  std::vector<void*> blocks;
  const std::vector<std::size_t> sizes{0, 64, 200, 256, 257, 1000, 5000, 70000, 3 << 20};
  for (const std::size_t size : sizes) blocks.push_back(workspace.allocate(size));
  test::start_watching();
  for (std::size_t i = 0; i < sizes.size(); ++i) workspace.deallocate(blocks[i], sizes[i]);
  EXPECT_EQ(test::stop_watching(), "");
}

}  // namespace
}  // namespace unroll
