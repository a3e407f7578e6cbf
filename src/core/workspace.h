// Memory for reuse: after the first training step no memory comes from the system.
#pragma once

#include <array>
#include <cstddef>
#include <memory_resource>
#include <mutex>

namespace unroll {

/// A memory resource that keeps freed blocks by size. Blocks are aligned to 64 bytes. Large blocks
/// lie in huge pages if the system has some.
///
/// Sizes are rounded up, to a quarter of a power of two or 64 bytes, so that a training step finds
/// the blocks of the step before. Every user keeps the workspace alive by a shared pointer. It is
/// safe to use from several threads and in a child of fork(). Freeing needs no memory and never
/// fails.
class Workspace : public std::pmr::memory_resource {
 public:
  Workspace();  ///< throws std::bad_alloc
  ~Workspace() override;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

 private:
  /// The start of a freed block.
  struct Block {
    Block* next;
  };
  static constexpr std::size_t kSizes = 3 + 4 * (64 - 8);  // number of sizes in 64 bits

  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  std::mutex& mutex_;  // shared with other workspaces
  std::array<Block*, kSizes> free_{};
};

}  // namespace unroll
