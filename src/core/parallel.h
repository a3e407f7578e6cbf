// The pool of threads. The caller works too.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <type_traits>

namespace unroll {

/// A reference to a function f(index), without ownership or allocation. f must not throw.
struct TaskRef {
  void* object;
  void (*call)(void* object, std::size_t index);
};

/// Calls tasks 0 .. count-1, each once, on the pool's threads and the caller's. Returns when all
/// are done. A task may run on any thread and must not depend on it. The caller runs all tasks
/// alone if it is inside a task, if another thread uses the pool, or if there is no memory for a
/// pool.
///
/// A child of fork() starts its own pool when it first needs one. The pool's threads block all
/// signals that are sent to the process.
void run_tasks(std::size_t count, TaskRef task) noexcept;

/// The number of threads that a call of run_tasks may use here: 1 inside a task.
int threads_here() noexcept;

/// The thread team of a host program, such as PyTorch's OpenMP team.
struct Executor {
  /// The number of threads that the team may use for the calling thread now, at least 1.
  int (*threads)() noexcept;
  /// Calls member(object) on `threads` threads at once, one of them the caller's, or on fewer.
  /// Returns when all calls have returned.
  void (*run)(int threads, void (*member)(void* object), void* object) noexcept;
};

/// From now on tasks run in this team, which must live as long as the process; null: in the pool
/// again. A pool beside a host's team would compete with it for the cores. Each call of run_tasks
/// ends where it began, and no result depends on where. A child of fork() goes back to a pool of
/// its own, because a team seldom survives a fork.
void set_executor(const Executor* executor) noexcept;

template <class F>
void parallel(std::size_t count, F&& f) {
  using Function = std::remove_reference_t<F>;
  run_tasks(count,
            {const_cast<void*>(static_cast<const void*>(std::addressof(f))),
             [](void* object, std::size_t index) { (*static_cast<Function*>(object))(index); }});
}

/// Calls f(begin, end) for pieces of `piece` of the `count` elements, one task each. The last piece
/// may be smaller.
template <class F>
void parallel_pieces(std::size_t count, std::size_t piece, F&& f) {
  parallel((count + piece - 1) / piece,
           [&](std::size_t index) { f(index * piece, std::min(count, (index + 1) * piece)); });
}

}  // namespace unroll
