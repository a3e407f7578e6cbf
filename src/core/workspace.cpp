#include "core/workspace.h"

#include <sys/mman.h>

#include <bit>
#include <new>

namespace unroll {
namespace {

constexpr std::size_t kHugePage = std::size_t{1} << 21;

/// Of a block of this size.
std::align_val_t alignment_of(std::size_t size) {
  return std::align_val_t{size < kHugePage ? 64 : kHugePage};
}

std::size_t rounded(std::size_t bytes) {
  if (bytes <= 256) return (bytes + 63) / 64 * 64 + (bytes == 0 ? 64 : 0);
  const std::size_t step = std::bit_floor(bytes) / 4;
  return (bytes + step - 1) / step * step;
}

}  // namespace

Workspace::~Workspace() {
  for (auto& [size, blocks] : free_)
    for (void* block : blocks) ::operator delete(block, alignment_of(size));
}

void* Workspace::do_allocate(std::size_t bytes, std::size_t /*alignment*/) {
  const std::size_t size = rounded(bytes);
  {
    const std::lock_guard lock(mutex_);
    const auto found = free_.find(size);
    if (found != free_.end() && !found->second.empty()) {
      void* block = found->second.back();
      found->second.pop_back();
      return block;
    }
  }
  void* block = ::operator new(size, alignment_of(size));
#if defined(MADV_HUGEPAGE)
  // The rows of large weights lie a page or more apart: with pages of 4 KB a panel of them has more
  // pages than the translation buffers hold. Only advice, so a refusal is no error.
  if (size >= kHugePage) ::madvise(block, size, MADV_HUGEPAGE);
#endif
  return block;
}

void Workspace::do_deallocate(void* block, std::size_t bytes, std::size_t /*alignment*/) {
  const std::lock_guard lock(mutex_);
  free_[rounded(bytes)].push_back(block);
}

}  // namespace unroll
