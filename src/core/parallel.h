// The pool of threads: run(tasks, f), the caller joins in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <type_traits>

namespace unroll {

/// A call f(index) without ownership or allocation; f must not throw.
struct TaskRef {
  void* object;
  void (*call)(void* object, std::size_t index);
};

/// Calls tasks 0 .. count-1, each once, on the pool's threads and the caller's; returns when all
/// are done. Which thread runs which task is not defined, so tasks must not depend on it. A call
/// from within a task, or while another thread uses the pool, runs on the caller alone; so does one
/// for whose pool there is no memory.
///
/// A child of fork() starts a pool of its own when it first needs one, whatever other threads of
/// the parent were doing. The pool's threads block all signals that are sent to the process.
void run_tasks(std::size_t count, TaskRef task) noexcept;

/// How many threads a call of run_tasks from here may use: 1 within a task.
int threads_here() noexcept;

template <class F>
void parallel(std::size_t count, F&& f) {
  using Function = std::remove_reference_t<F>;
  run_tasks(count,
            {const_cast<void*>(static_cast<const void*>(std::addressof(f))),
             [](void* object, std::size_t index) { (*static_cast<Function*>(object))(index); }});
}

/// f(begin, end) for pieces of `piece` elements, the last perhaps of fewer, of `count`: one task
/// each.
template <class F>
void parallel_pieces(std::size_t count, std::size_t piece, F&& f) {
  parallel((count + piece - 1) / piece,
           [&](std::size_t index) { f(index * piece, std::min(count, (index + 1) * piece)); });
}

}  // namespace unroll
