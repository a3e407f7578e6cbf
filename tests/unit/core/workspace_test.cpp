#include "core/workspace.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace unroll {
namespace {

TEST(Workspace, BlocksAreAlignedToCacheLines) {
  Workspace workspace;
  for (const std::size_t bytes : {0, 1, 63, 64, 65, 256, 257, 1000, 4097, 1 << 20}) {
    void* block = workspace.allocate(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0u) << bytes;
    std::memset(block, 1, bytes);
    workspace.deallocate(block, bytes);
  }
}

TEST(Workspace, WhatWasGivenBackIsUsedAgain) {
  Workspace workspace;
  std::set<void*> first;
  std::vector<std::size_t> sizes{100, 100, 5000, 70000, 1};
  std::vector<void*> blocks;
  for (const std::size_t size : sizes) first.insert(blocks.emplace_back(workspace.allocate(size)));
  EXPECT_EQ(first.size(), sizes.size());  // all different while in use
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < sizes.size(); ++i) workspace.deallocate(blocks[i], sizes[i]);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      blocks[i] = workspace.allocate(sizes[i]);
      EXPECT_TRUE(first.contains(blocks[i]));
    }
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) workspace.deallocate(blocks[i], sizes[i]);
}

TEST(Workspace, NearbySizesShareABlock) {
  Workspace workspace;
  void* block = workspace.allocate(1025);  // rounded up to 1280
  workspace.deallocate(block, 1025);
  void* again = workspace.allocate(1280);
  EXPECT_EQ(again, block);
  void* other = workspace.allocate(1281);
  EXPECT_NE(other, block);
  workspace.deallocate(again, 1280);
  workspace.deallocate(other, 1281);
}

// Where the system has huge pages, a block of whole ones can lie in them only if it begins with
// one.
TEST(Workspace, LargeBlocksAreAlignedToHugePages) {
  constexpr std::size_t kHugePage = std::size_t{1} << 21;
  for (const std::size_t bytes : {kHugePage - 1, kHugePage, kHugePage + 1, 5 * kHugePage + 12345}) {
    Workspace workspace;
    void* block = workspace.allocate(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % kHugePage, 0u) << bytes;
    std::memset(block, 1, bytes);
    workspace.deallocate(block, bytes);
    void* again = workspace.allocate(bytes);
    EXPECT_EQ(again, block);
    workspace.deallocate(again, bytes);
  }
  Workspace workspace;
  void* block = workspace.allocate(kHugePage / 2);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0u);
  std::memset(block, 1, kHugePage / 2);
  workspace.deallocate(block, kHugePage / 2);
}

TEST(Workspace, BlocksMayComeBackFromAnotherThread) {
  Workspace workspace;
  const auto work = [&] {
    std::vector<void*> blocks;
    for (int round = 0; round < 1000; ++round) {
      blocks.push_back(workspace.allocate(200));
      std::memset(blocks.back(), round, 200);
      if (blocks.size() == 10) {
        for (void* block : blocks) workspace.deallocate(block, 200);
        blocks.clear();
      }
    }
  };
  std::thread other(work);
  work();
  other.join();
}

}  // namespace
}  // namespace unroll
