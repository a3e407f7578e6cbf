#include "steady/allocations.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <new>

namespace unroll::test {
namespace {

enum Function {
  kMalloc,
  kCalloc,
  kRealloc,
  kAlignedAlloc,
  kPosixMemalign,
  kMemalign,
  kMmap,
  kNew,
  kFree,
  kFunctions
};
constexpr const char* names[] = {"malloc",        "calloc",         "realloc",
                                 "aligned_alloc", "posix_memalign", "memalign",
                                 "mmap",          "operator new",   "free"};
static_assert(std::size(names) == kFunctions);

std::atomic<bool> watching = false;
std::atomic<long> calls[kFunctions], locks, left_until_failure = -1;

void count(Function function) {
  if (watching.load(std::memory_order_relaxed)) ++calls[function];
}

/// For operator new.
void fail_if_asked_to() {
  if (left_until_failure.load(std::memory_order_relaxed) >= 0 && left_until_failure-- == 0)
    throw std::bad_alloc();
}

}  // namespace

void fail_allocation(long after) { left_until_failure = after; }

void start_watching() {
  for (auto& c : calls) c = 0;
  locks = 0;
  watching = true;
}

std::string stop_watching() {
  watching = false;
  std::string seen;
  for (int f = 0; f < kFunctions; ++f)
    if (calls[f] > 0)
      seen += (seen.empty() ? "" : ", ") + std::string(names[f]) + " " + std::to_string(calls[f]);
  return seen;
}

long locks_seen() { return locks; }

}  // namespace unroll::test

using namespace unroll::test;

// What the C library's functions are called inside of it.
#define UNROLL_EXPORT __attribute__((visibility("default")))
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

UNROLL_EXPORT void* malloc(std::size_t bytes) {
  count(kMalloc);
  return __libc_malloc(bytes);
}
UNROLL_EXPORT void* calloc(std::size_t n, std::size_t bytes) {
  count(kCalloc);
  return __libc_calloc(n, bytes);
}
UNROLL_EXPORT void* realloc(void* block, std::size_t bytes) {
  count(kRealloc);
  return __libc_realloc(block, bytes);
}
UNROLL_EXPORT void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  count(kAlignedAlloc);
  return __libc_memalign(alignment, bytes);
}
UNROLL_EXPORT int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
  count(kPosixMemalign);
  *block = __libc_memalign(alignment, bytes);
  return *block ? 0 : ENOMEM;
}
UNROLL_EXPORT void* memalign(std::size_t alignment, std::size_t bytes) {
  count(kMemalign);
  return __libc_memalign(alignment, bytes);
}
UNROLL_EXPORT void free(void* block) {
  if (block) count(kFree);
  __libc_free(block);
}
UNROLL_EXPORT int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static const auto real =
      reinterpret_cast<int (*)(pthread_mutex_t*)>(dlsym(RTLD_NEXT, "pthread_mutex_lock"));
  if (watching.load(std::memory_order_relaxed)) ++locks;
  return real(mutex);
}
UNROLL_EXPORT int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  static const auto real =
      reinterpret_cast<int (*)(pthread_mutex_t*)>(dlsym(RTLD_NEXT, "pthread_mutex_trylock"));
  if (watching.load(std::memory_order_relaxed)) ++locks;
  return real(mutex);
}
UNROLL_EXPORT void* mmap(void* address, std::size_t bytes, int protection, int flags, int file,
                         off_t offset) {
  count(kMmap);
  return reinterpret_cast<void*>(
      syscall(SYS_mmap, address, bytes, protection, flags, file, offset));
}
UNROLL_EXPORT void* mmap64(void* address, std::size_t bytes, int protection, int flags, int file,
                           off64_t offset) {
  return mmap(address, bytes, protection, flags, file, offset);
}
}

// operator new[] and the ones that don't throw call these two.
void* operator new(std::size_t bytes) {
  count(kNew);
  fail_if_asked_to();
  if (void* block = __libc_malloc(bytes)) return block;
  throw std::bad_alloc();
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  count(kNew);
  fail_if_asked_to();
  if (void* block = __libc_memalign(static_cast<std::size_t>(alignment), bytes)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { free(block); }
void operator delete(void* block, std::size_t) noexcept { free(block); }
void operator delete(void* block, std::align_val_t) noexcept { free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { free(block); }
