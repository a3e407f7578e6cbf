#include "core/workspace.h"

#include <pthread.h>
#include <sys/mman.h>

#include <atomic>
#include <bit>
#include <iterator>
#include <new>

namespace unroll {
namespace {

constexpr std::size_t kHugePage = std::size_t{1} << 21;

std::align_val_t alignment_of(std::size_t size) {
  return std::align_val_t{size < kHugePage ? 64 : kHugePage};
}

std::size_t rounded(std::size_t bytes) {
  if (bytes <= 256) return (bytes + 63) / 64 * 64 + (bytes == 0 ? 64 : 0);
  const std::size_t step = std::bit_floor(bytes) / 4;
  return (bytes + step - 1) / step * step;
}

/// The index of a rounded size. Sizes are 64, 128, 192, and from 256 on four for each power of two.
std::size_t number_of(std::size_t size) {
  if (size < 256) return size / 64 - 1;
  const std::size_t floor = std::bit_floor(size);
  return 3 + 4 * static_cast<std::size_t>(std::bit_width(size) - 9) + (size - floor) / (floor / 4);
}

std::size_t size_of_number(std::size_t number) {
  if (number < 3) return (number + 1) * 64;
  const std::size_t floor = std::size_t{256} << ((number - 3) / 4);
  return floor + (number - 3) % 4 * (floor / 4);
}

// A few locks for all workspaces. fork() holds all of them for a moment, so that its child finds
// every workspace consistent and unlocked.
struct alignas(64) Lock {
  std::mutex mutex;
};
constinit Lock locks[16];

void before_fork() {
  for (Lock& lock : locks) lock.mutex.lock();
}

void after_fork() {
  for (auto lock = std::rbegin(locks); lock != std::rend(locks); ++lock) lock->mutex.unlock();
}

// Registered before the first thread. 0, or the number of an error.
const int fork_handlers = pthread_atfork(&before_fork, &after_fork, &after_fork);

/// The lock of a new workspace.
std::mutex& next_lock() {
  if (fork_handlers != 0) throw std::bad_alloc();
  static std::atomic<unsigned> made = 0;
  return locks[made++ % std::size(locks)].mutex;
}

}  // namespace

Workspace::Workspace() : mutex_(next_lock()) {}

Workspace::~Workspace() {
  for (std::size_t number = 0; number < kSizes; ++number)
    while (Block* const block = free_[number]) {
      free_[number] = block->next;
      ::operator delete(block, alignment_of(size_of_number(number)));
    }
}

void* Workspace::do_allocate(std::size_t bytes, std::size_t /*alignment*/) {
  const std::size_t size = rounded(bytes);
  {
    const std::lock_guard lock(mutex_);
    Block*& first = free_[number_of(size)];
    if (Block* const block = first) {
      first = block->next;
      return block;
    }
  }
  void* block = ::operator new(size, alignment_of(size));
#if defined(MADV_HUGEPAGE)
  // Rows of large weights lie a page or more apart. With 4 KB pages a panel of them needs more
  // pages than the translation buffers hold. This is only advice, so a refusal is no error.
  if (size >= kHugePage) ::madvise(block, size, MADV_HUGEPAGE);
#endif
  return block;
}

void Workspace::do_deallocate(void* block, std::size_t bytes, std::size_t /*alignment*/) {
  const std::lock_guard lock(mutex_);
  Block*& first = free_[number_of(rounded(bytes))];
  first = new (block) Block{first};
}

}  // namespace unroll
