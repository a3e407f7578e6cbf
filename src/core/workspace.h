// Memory that is used again: after the first training step nothing new is asked of the system.
#pragma once

#include <array>
#include <cstddef>
#include <memory_resource>
#include <mutex>

namespace unroll {

/// A memory resource that keeps what is given back, by size, aligned to 64 bytes; large blocks lie
/// in huge pages where the system has some.
///
/// Sizes are rounded up, to a quarter of a power of two or 64 bytes, so that a training step finds
/// the blocks of the step before. Whatever allocates from it keeps it alive by a shared pointer.
/// Usable from several threads, and in a child of fork() whatever other threads were doing. Giving
/// back needs no memory and never fails.
class Workspace : public std::pmr::memory_resource {
 public:
  Workspace();  ///< throws std::bad_alloc
  ~Workspace() override;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

 private:
  /// How a block that was given back begins.
  struct Block {
    Block* next;
  };
  static constexpr std::size_t kSizes = 3 + 4 * (64 - 8);  // the sizes there are in 64 bits

  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  std::mutex& mutex_;  // shared with other workspaces
  std::array<Block*, kSizes> free_{};
};

}  // namespace unroll
