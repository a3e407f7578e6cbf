#include "core/parallel.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "core/cores.h"
#include "core/float_environment.h"
#include "unroll/core/error.h"
#include "unroll/core/threads.h"

namespace unroll {
namespace {

// About 20 us of spinning: longer than the gaps between the parallel parts of a training step, and
// short enough to cost an idle program nothing.
constexpr int kSpins = 2000;

inline void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

thread_local bool inside_task = false;

/// Threads started while it lives block all signals that are sent to the process. So a host that
/// waits for signals, or blocks them, need not care about our threads. A thread still gets signals
/// for its own faults.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) sigdelset(&all, own);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_;
};

/// A job is published as one number, (generation << 32 | tasks not yet claimed). So a worker that
/// wakes up late can't claim a task of a newer job.
class Pool {
 public:
  explicit Pool(int threads) {
    const NoSignals blocked;
    // If the system refuses threads or memory, the pool is smaller. No result depends on that.
    try {
      workers_.reserve(static_cast<std::size_t>(threads - 1));
      for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
    } catch (const std::bad_alloc&) {
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

  /// False if no task of that generation is left.
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
    inside_task = true;  // calls from a task run serially
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

/// The pool of this process.
///
/// A child of fork() has none of its parent's threads. The mutex may be held by a thread that the
/// child lacks. So the child touches nothing of this: it makes a pool of its own when it first
/// needs one.
struct Shared {
  std::mutex mutex;  // held while the pool is used or replaced
  std::unique_ptr<Pool> pool;
  Shared* parents = nullptr;  // the parent process's, kept reachable for leak checkers
};

std::atomic<Shared*> shared = nullptr;
Shared* abandoned = nullptr;
std::atomic<int> asked_threads = 0;  // set by the user; 0: the allowed cores
std::atomic<int> pool_threads = 0;   // of the pool; 0 if there is no pool yet

std::atomic<const Executor*> host_team = nullptr;

void after_fork_in_child() noexcept {
  host_team = nullptr;
  if (Shared* const parents = shared.exchange(nullptr)) {
    parents->parents = abandoned;
    abandoned = parents;
  }
  pool_threads = 0;
}

// Registered before the first thread. 0, or the number of an error.
const int registered = pthread_atfork(nullptr, nullptr, &after_fork_in_child);

/// Throws std::bad_alloc.
Shared& shared_here() {
  if (Shared* const known = shared.load(std::memory_order_acquire)) return *known;
  if (registered != 0) throw std::bad_alloc();
  // Not a static local: its lock would stay locked in a child, if fork() happens while another
  // thread initialises it.
  auto made = std::make_unique<Shared>();
  Shared* other = nullptr;
  return shared.compare_exchange_strong(other, made.get()) ? *made.release() : *other;
}

/// Call with the mutex held. Throws std::bad_alloc.
Pool& pool_of(Shared& s) {
  if (!s.pool) {
    const int asked = asked_threads.load(std::memory_order_relaxed);
    s.pool = std::make_unique<Pool>(asked > 0 ? asked : allowed_cores());
    pool_threads.store(s.pool->threads(), std::memory_order_relaxed);
  }
  return *s.pool;
}

/// The pool, with its mutex held. Null if another thread uses it or there is no memory for one.
Pool* try_to_take(Shared*& taken) noexcept {
  try {
    Shared& s = shared_here();
    if (!s.mutex.try_lock()) return nullptr;
    std::unique_lock lock(s.mutex, std::adopt_lock);
    Pool& pool = pool_of(s);
    lock.release();
    taken = &s;
    return &pool;
  } catch (const std::exception&) {
    return nullptr;
  }
}

/// Ends the threads at exit or before the library is unloaded. If a thread still computes at exit,
/// they end with the process.
struct AtExit {
  ~AtExit() {
    Shared* const s = shared.load();
    if (!s) return;
    const std::unique_lock lock(s->mutex, std::try_to_lock);
    if (lock) s->pool.reset();
  }
} at_exit;

/// Tasks that the threads of a host's team share.
struct TeamJob {
  TaskRef task;
  std::size_t count;
  std::atomic<std::size_t> next = 0;

  static void work(void* object) noexcept {
    TeamJob& job = *static_cast<TeamJob*>(object);
    const bool was_inside = std::exchange(inside_task, true);
    const FloatEnvironment environment;
    for (;;) {
      const std::size_t i = job.next.fetch_add(1, std::memory_order_relaxed);
      if (i >= job.count) break;
      job.task.call(job.task.object, i);
    }
    inside_task = was_inside;
  }
};

void run_in_team(const Executor& team, std::size_t count, TaskRef task) noexcept {
  const auto threads = static_cast<std::size_t>(std::max(team.threads(), 1));
  TeamJob job{task, count};
  if (threads == 1) return TeamJob::work(&job);
  team.run(static_cast<int>(std::min(threads, count)), &TeamJob::work, &job);
}

}  // namespace

void set_executor(const Executor* executor) noexcept { host_team = executor; }

void run_tasks(std::size_t count, TaskRef task) noexcept {
  const auto serially = [&] {
    for (std::size_t i = 0; i < count; ++i) task.call(task.object, i);
  };
  const FloatEnvironment environment;
  const Executor* const team = host_team.load(std::memory_order_acquire);
  if (team && count > 1 && !inside_task) return run_in_team(*team, count, task);
  Shared* taken = nullptr;
  Pool* const pool = count <= 1 || inside_task ? nullptr : try_to_take(taken);
  if (!pool) return serially();
  const std::lock_guard lock(taken->mutex, std::adopt_lock);
  inside_task = true;
  if (pool->threads() == 1)
    serially();
  else
    pool->run(count, task);
  inside_task = false;
}

void set_num_threads(int count) {
  if (count < 0 || count > 1024)
    throw ValueError(
        "threads",
        fmt::format("{} threads given, expected 1 to 1024, or 0 for the number of cores", count));
  const int threads = count == 0 ? allowed_cores() : count;
  Shared& s = shared_here();
  const std::lock_guard lock(s.mutex);
  s.pool = std::make_unique<Pool>(threads);
  asked_threads.store(count, std::memory_order_relaxed);
  pool_threads.store(s.pool->threads(), std::memory_order_relaxed);
}

int num_threads() {
  if (const Executor* const team = host_team.load(std::memory_order_acquire))
    return std::max(team->threads(), 1);
  if (const int known = pool_threads.load(std::memory_order_relaxed)) return known;
  Shared& s = shared_here();
  const std::lock_guard lock(s.mutex);
  return pool_of(s).threads();
}

int threads_here() noexcept {
  if (inside_task) return 1;
  try {
    return num_threads();
  } catch (const std::exception&) {
    return 1;  // no memory for a pool: run_tasks runs on the caller's thread
  }
}

}  // namespace unroll
