#include "cost/counter.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNROLL_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNROLL_SANITIZED
#endif
#endif

namespace unroll::test {
namespace {

// A thread's own: others may allocate meanwhile.
thread_local bool counting = false;
thread_local std::uint64_t blocks = 0;
thread_local std::ptrdiff_t held = 0, most = 0;

[[maybe_unused]] void take(std::size_t bytes) {
  if (!counting) return;
  held += static_cast<std::ptrdiff_t>(bytes);
  most = std::max(most, held);
}

[[maybe_unused]] void give_back(std::size_t bytes) {
  if (counting) held -= static_cast<std::ptrdiff_t>(bytes);
}

}  // namespace

Cost stop_counting() {
  counting = false;
  return {blocks, static_cast<std::size_t>(most)};
}

}  // namespace unroll::test

using namespace unroll::test;

extern "C" void __wrap___sanitizer_cov_trace_pc();
extern "C" void __wrap___sanitizer_cov_trace_pc() { ++blocks; }

#ifdef UNROLL_SANITIZED

// A sanitizer has operator new for itself, and tells of its calls.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*,
                                                                  std::size_t),
                                                         void (*)(const volatile void*));
extern "C" std::size_t __sanitizer_get_allocated_size(const volatile void*);

void unroll::test::start_counting() {
  [[maybe_unused]] static const int installed = __sanitizer_install_malloc_and_free_hooks(
      [](const volatile void*, std::size_t bytes) { take(bytes); },
      [](const volatile void* block) {
        if (counting && block) give_back(__sanitizer_get_allocated_size(block));
      });
  blocks = 0;
  held = most = 0;
  counting = true;
}

#else

void unroll::test::start_counting() {
  blocks = 0;
  held = most = 0;
  counting = true;
}

// operator new[] and the ones that don't throw call this one.
void* operator new(std::size_t bytes) {
  void* const block = std::malloc(bytes > 0 ? bytes : 1);
  if (!block) throw std::bad_alloc();
  take(malloc_usable_size(block));
  return block;
}
void operator delete(void* block) noexcept {
  if (block) give_back(malloc_usable_size(block));
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { operator delete(block); }

#endif
