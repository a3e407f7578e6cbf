#include "core/parallel.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "core/cores.h"
#include "core/float_environment.h"
#include "unroll/core/error.h"
#include "unroll/core/threads.h"

namespace unroll {
namespace {

// About 20 us of spinning: longer than the gaps between the parallel parts of one training step,
// short enough that an idle program costs nothing.
constexpr int kSpins = 2000;

inline void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

thread_local bool inside_task = false;

/// A job is published as one number, (generation << 32 | tasks not yet claimed), so that a worker
/// that wakes up late can never claim a task of a job it did not see.
class Pool {
 public:
  explicit Pool(int threads) {
    workers_.reserve(static_cast<std::size_t>(threads - 1));
    try {
      for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      // The system gives no more threads: the result does not depend on how many there are.
    }
  }

  ~Pool() {
    stop_.store(true, std::memory_order_relaxed);
    publish(0);
    for (auto& worker : workers_) worker.join();
  }

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  void run(std::size_t count, TaskRef task) noexcept {
    task_ = task;
    count_ = count;
    done_.store(0, std::memory_order_relaxed);
    publish(count);
    const std::uint64_t generation = state_.load(std::memory_order_relaxed) >> 32;
    while (claim_and_run(generation)) {
    }
    for (int spins = 0; done_.load(std::memory_order_acquire) != count; ++spins) {
      if (spins < kSpins) {
        pause();
      } else {
        const std::size_t seen = done_.load(std::memory_order_acquire);
        if (seen != count) done_.wait(seen, std::memory_order_acquire);
      }
    }
  }

 private:
  void publish(std::size_t count) noexcept {
    const std::uint64_t generation = (state_.load(std::memory_order_relaxed) >> 32) + 1;
    state_.store(generation << 32 | count, std::memory_order_release);
    state_.notify_all();
  }

  /// False when nothing of that generation is left.
  bool claim_and_run(std::uint64_t generation) noexcept {
    std::uint64_t state = state_.load(std::memory_order_acquire);
    do {
      if (state >> 32 != (generation & 0xffffffffu) || (state & 0xffffffffu) == 0) return false;
    } while (!state_.compare_exchange_weak(state, state - 1, std::memory_order_acq_rel,
                                           std::memory_order_acquire));
    const std::size_t count = count_;
    task_.call(task_.object, count - (state & 0xffffffffu));
    if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == count) done_.notify_one();
    return true;
  }

  void work() noexcept {
    inside_task = true;  // a task's own calls run serially
    const FloatEnvironment environment;
    std::uint64_t seen = 0;
    while (!stop_.load(std::memory_order_relaxed)) {
      std::uint64_t state = state_.load(std::memory_order_acquire);
      for (int spins = 0; state >> 32 == seen && spins < kSpins; ++spins) {
        pause();
        state = state_.load(std::memory_order_acquire);
      }
      if (state >> 32 == seen) {
        state_.wait(state, std::memory_order_acquire);
        continue;
      }
      seen = state >> 32;
      while (claim_and_run(seen)) {
      }
    }
  }

  std::vector<std::thread> workers_;
  TaskRef task_{};
  std::size_t count_ = 0;
  alignas(64) std::atomic<std::uint64_t> state_{0};
  alignas(64) std::atomic<std::size_t> done_{0};
  std::atomic<bool> stop_{false};
};

std::mutex pool_mutex;
std::atomic<int> pool_threads = 0;  // of the pool below; 0 before there is one

/// With pool_mutex held.
std::unique_ptr<Pool>& pool(int threads = 0) {
  static std::unique_ptr<Pool> instance;
  if (threads > 0 || !instance) {
    instance = std::make_unique<Pool>(threads > 0 ? threads : allowed_cores());
    pool_threads.store(instance->threads(), std::memory_order_relaxed);
  }
  return instance;
}

}  // namespace

void run_tasks(std::size_t count, TaskRef task) noexcept {
  const auto serially = [&] {
    for (std::size_t i = 0; i < count; ++i) task.call(task.object, i);
  };
  const FloatEnvironment environment;
  if (count <= 1 || inside_task || !pool_mutex.try_lock()) return serially();
  const std::lock_guard lock(pool_mutex, std::adopt_lock);
  inside_task = true;
  if (pool()->threads() == 1)
    serially();
  else
    pool()->run(count, task);
  inside_task = false;
}

void set_num_threads(int count) {
  if (count < 0 || count > 1024)
    throw ValueError("threads", fmt::format("{} threads asked for; give 1 to 1024, or 0 for the "
                                            "number of cores",
                                            count));
  const std::lock_guard lock(pool_mutex);
  pool(count == 0 ? allowed_cores() : count);
}

int num_threads() {
  if (const int known = pool_threads.load(std::memory_order_relaxed)) return known;
  const std::lock_guard lock(pool_mutex);
  return pool()->threads();
}

int threads_here() { return inside_task ? 1 : num_threads(); }

}  // namespace unroll
