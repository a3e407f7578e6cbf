// Memory that is used again: after the first training step nothing new is asked of the system.
#pragma once

#include <cstddef>
#include <map>
#include <memory_resource>
#include <mutex>
#include <vector>

namespace unroll {

/// A memory resource that keeps what is given back, by size, aligned to 64 bytes; large blocks lie
/// in huge pages where the system has some.
///
/// Sizes are rounded up, to a quarter of a power of two or 64 bytes, so that a training step finds
/// the blocks of the step before. Whatever allocates from it keeps it alive by a shared pointer.
/// Usable from several threads.
class Workspace : public std::pmr::memory_resource {
 public:
  Workspace() = default;
  ~Workspace() override;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> free_;
};

}  // namespace unroll
