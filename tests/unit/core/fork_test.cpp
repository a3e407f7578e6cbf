// fork() after threads were used: the child has a library that works, and ends by itself.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/parallel.h"
#include "core/workspace.h"
#include "support/child_process.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/threads.h"
#include "unroll/tensor/tensor.h"

// The thread sanitizer ends a child that starts threads, unless it is told otherwise.
extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }

namespace unroll {
namespace {

using test::ChildProcess;

/// Puts the number of threads back at the end of a test.
class Trial06 : public ::testing::Test {
 protected:
  ~Trial06() override { set_num_threads(before_); }

 private:
  int before_ = num_threads();
};
class Trial21Pool : public Trial06 {};

/// What `work` returns in a child; SIGALRM ends one that hangs.
std::string in_child(const std::function<std::string()>& work) {
  ChildProcess child([&] {
    ::alarm(60);
    return work();
  });
  return child.wait();
}

/// "4 threads": how many there are, if tasks run once each and on more than one thread.
std::string works() {
  std::vector<std::atomic<int>> runs(1000);
  parallel(runs.size(), [&](std::size_t i) { ++runs[i]; });
  for (const std::atomic<int>& count : runs)
    if (count != 1) return "a task ran " + std::to_string(count) + " times";
  return std::to_string(num_threads()) + " threads";
}

/// Uses the pool without a pause for as long as it lives.
class BusyThread {
 public:
  explicit BusyThread(std::function<void()> work)
      : thread_([this, work = std::move(work)] {
          while (!stop_) work();
        }) {}
  ~BusyThread() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

TEST_F(Trial06, AChildHasThreadsOfItsOwn) {
  set_num_threads(4);
  EXPECT_EQ(works(), "4 threads");
  EXPECT_EQ(in_child(works), "4 threads");
  EXPECT_EQ(in_child([] {
              set_num_threads(3);
              return works();
            }),
            "3 threads");
  EXPECT_EQ(in_child([] {
              works();
              set_num_threads(2);
              return works();
            }),
            "2 threads");
  EXPECT_EQ(works(), "4 threads");
}

TEST_F(Trial06, AChildsThreadsAreReallyThere) {
  set_num_threads(3);
  works();
  EXPECT_EQ(in_child([] {
              // Three tasks that wait for each other need three threads.
              std::atomic<int> inside = 0;
              parallel(3, [&](std::size_t) {
                ++inside;
                while (inside != 3) std::this_thread::yield();
              });
              return std::string("all three met");
            }),
            "all three met");
}

TEST_F(Trial06, AChildOfAChild) {
  set_num_threads(3);
  works();
  EXPECT_EQ(in_child([] {
              const std::string own = works(), next = in_child(works);
              return own + ", " + next + ", " + works();
            }),
            "3 threads, 3 threads, 3 threads");
}

// exit() runs the destructors of static objects, which must not join the parent's threads.
TEST_F(Trial06, AChildEndsByItself) {
  set_num_threads(4);
  works();
  const auto status_of = [](const std::function<void()>& work) {
    std::fflush(stdout);  // or exit() in the child writes it once more
    const pid_t id = ::fork();
    if (id == 0) {
      ::alarm(60);
      work();
    }
    int status = 0;
    ::waitpid(id, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  };
  EXPECT_EQ(status_of([] { std::exit(7); }), 7);
  EXPECT_EQ(status_of([] { works(), std::exit(7); }), 7);
  EXPECT_EQ(status_of([] { set_num_threads(2), std::exit(7); }), 7);
  EXPECT_EQ(status_of([] { ::_exit(7); }), 7);
}

TEST_F(Trial06, WhileAnotherThreadUsesThePool) {
  set_num_threads(3);
  const BusyThread busy([] { works(); });
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(in_child(works), "3 threads") << i;
    ASSERT_EQ(in_child([] {
                set_num_threads(2);
                return works();
              }),
              "2 threads")
        << i;
  }
}

TEST_F(Trial06, WhileAnotherThreadReplacesThePool) {
  // The address sanitizer has a lock of its own for starting threads, which a child may find taken.
  if (!test::can_limit_address_space()) GTEST_SKIP() << "not with a sanitizer";
  std::atomic<int> round = 0;
  const BusyThread busy([&] { set_num_threads(1 + ++round % 4); });
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(in_child([] {
                works();
                set_num_threads(2);
                return works();
              }),
              "2 threads")
        << i;
}

// fork() does not wait for a computation in progress, which may be the caller's own.
TEST_F(Trial06, FromWithinATask) {
  set_num_threads(3);
  std::vector<std::string> said(6);
  parallel(said.size(), [&](std::size_t i) { said[i] = in_child(works); });
  for (const std::string& text : said) EXPECT_EQ(text, "3 threads");
}

// Storage that another thread made comes back to that thread's workspace.
TEST_F(Trial06, AWorkspaceThatAnotherThreadUses) {
  Workspace workspace;
  const BusyThread busy([&] {
    void* const block = workspace.allocate(1000);
    workspace.deallocate(block, 1000);
  });
  for (int i = 0; i < 200; ++i)
    ASSERT_EQ(in_child([&] {
                for (int n = 0; n < 10; ++n) {
                  void* const block = workspace.allocate(1000);
                  workspace.deallocate(block, 1000);
                }
                return std::string("done");
              }),
              "done")
        << i;
}

TEST_F(Trial06, TensorsInAChild) {
  set_num_threads(3);
  const Tensor a = Tensor::full({300, 300}, 1.0f), b = Tensor::full({300, 300}, 2.0f);
  EXPECT_EQ(matmul(a, b).values<float>().front(), 600);
  const BusyThread busy([&] { matmul(a, b); });
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(in_child([&] { return std::to_string(matmul(a, b).values<float>().back()); }),
              "600.000000");
}

// A signal sent to the process is left to the host, which has it blocked to wait for it.
TEST_F(Trial21Pool, ThreadsOfThePoolBlockSignals) {
  EXPECT_EQ(in_child([] {
              sigset_t one;
              sigemptyset(&one);
              sigaddset(&one, SIGUSR1);
              sigaddset(&one, SIGTERM);
              set_num_threads(4);
              works();
              pthread_sigmask(SIG_BLOCK, &one, nullptr);
              for (const int wanted : {SIGUSR1, SIGTERM, SIGUSR1}) {
                ::kill(::getpid(), wanted);  // ends the process where a thread takes it
                const timespec none{};
                const int got = ::sigtimedwait(&one, nullptr, &none);
                if (got != wanted) return "got " + std::to_string(got);
              }
              return std::string("the host's");
            }),
            "the host's");
}

// Blocking them for the new threads leaves the caller's own signals as they were.
TEST_F(Trial21Pool, TheCallersSignalsStayAsTheyAre) {
  sigset_t before, after;
  pthread_sigmask(SIG_BLOCK, nullptr, &before);
  set_num_threads(3);
  pthread_sigmask(SIG_BLOCK, nullptr, &after);
  for (int signal = 1; signal < 32; ++signal)
    EXPECT_EQ(sigismember(&before, signal), sigismember(&after, signal)) << signal;
}

}  // namespace
}  // namespace unroll
