#include "core/workspace.h"

#include <bit>
#include <new>

namespace unroll {
namespace {

constexpr std::align_val_t kAlignment{64};

std::size_t rounded(std::size_t bytes) {
  if (bytes <= 256) return (bytes + 63) / 64 * 64 + (bytes == 0 ? 64 : 0);
  const std::size_t step = std::bit_floor(bytes) / 4;
  return (bytes + step - 1) / step * step;
}

}  // namespace

Workspace::~Workspace() {
  for (auto& [size, blocks] : free_)
    for (void* block : blocks) ::operator delete(block, kAlignment);
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
  return ::operator new(size, kAlignment);
}

void Workspace::do_deallocate(void* block, std::size_t bytes, std::size_t /*alignment*/) {
  const std::lock_guard lock(mutex_);
  free_[rounded(bytes)].push_back(block);
}

}  // namespace unroll
