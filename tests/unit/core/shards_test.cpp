// The rule of docs/numerics.md, against plain loops and numbers worked out by hand.
#include "core/shards.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/batch_part.h"

namespace {

using unroll::BatchPart;
using unroll::Shards;

std::vector<std::size_t> bounds_of(const Shards& shards) {
  std::vector<std::size_t> bounds;
  for (std::size_t k = 0; k <= shards.count(); ++k) bounds.push_back(shards.begin(k));
  return bounds;
}

TEST(Shards, TheirNumberFollowsFromTheRows) {
  const std::pair<std::size_t, std::size_t> expected[] = {
      {0, 1},   {1, 1},   {15, 1},  {16, 1},   {31, 1},    {32, 2},    {63, 2},    {64, 4},
      {100, 4}, {127, 4}, {128, 8}, {512, 32}, {1023, 32}, {1024, 64}, {4096, 64}, {1 << 20, 64}};
  for (const auto& [rows, count] : expected) EXPECT_EQ(Shards(rows).count(), count) << rows;
}

TEST(Shards, AreCutAsEvenlyAsCanBe) {
  EXPECT_EQ(bounds_of(Shards(100)), (std::vector<std::size_t>{0, 25, 50, 75, 100}));
  EXPECT_EQ(bounds_of(Shards(127)), (std::vector<std::size_t>{0, 31, 63, 95, 127}));
  EXPECT_EQ(bounds_of(Shards(7, 4)), (std::vector<std::size_t>{0, 1, 3, 5, 7}));
}

TEST(Shards, AreNeverMoreThanTheRows) {
  EXPECT_EQ(Shards(3, 8).count(), 2u);
  EXPECT_EQ(Shards(0, 8).count(), 1u);
  EXPECT_EQ(Shards(8, 8).count(), 8u);
}

TEST(Shards, OfANodeAreThoseOfTheWhole) {
  const Shards whole(127, 8);
  const Shards half = whole.node(4, 4), quarter = half.node(2, 2);
  EXPECT_EQ(half.first_row(), 63u);
  EXPECT_EQ(half.rows(), 64u);
  EXPECT_EQ(quarter.first_row(), 95u);
  EXPECT_EQ(bounds_of(quarter), (std::vector<std::size_t>{0, 16, 32}));
  EXPECT_EQ(quarter.whole_rows(), 127u);
}

TEST(Shards, KeepTheirBoundsWithSeveralRowsForEachRow) {
  const Shards steps = Shards(7, 4).node(2, 2).times(10);
  EXPECT_EQ(bounds_of(steps), (std::vector<std::size_t>{0, 20, 40}));
  EXPECT_EQ(steps.first_row(), 30u);
  EXPECT_EQ(steps.whole_rows(), 70u);
}

TEST(Shards, OfAnOperationAreThoseOfItsPart) {
  EXPECT_EQ(unroll::shards_of(100).count(), 4u);
  const BatchPart part{Shards(200, 8).node(0, 4)};
  {
    const unroll::WithBatchPart guard(part);
    EXPECT_EQ(bounds_of(unroll::shards_of(100)), (std::vector<std::size_t>{0, 25, 50, 75, 100}));
    EXPECT_EQ(unroll::shards_of(300).begin(1), 75u);
    EXPECT_EQ(unroll::shards_of(33).count(), 2u);  // not a multiple: a batch of its own
  }
  EXPECT_EQ(unroll::batch_part(), nullptr);
}

TEST(TreeSum, AddsInTheOrderOfTheTree) {
  for (const std::size_t count : {1u, 2u, 4u, 32u}) {
    // Each shard's term is its number as text, so that the sum spells out the order.
    std::vector<std::string> slots(unroll::tree_slots(count));
    unroll::tree_sum(
        count, [&](std::size_t k) { slots.at(unroll::tree_slot(k)) = std::to_string(k); },
        [&](std::size_t left, std::size_t right) {
          std::string& to = slots.at(unroll::tree_slot(left));
          to = "(" + to + "+" + slots.at(unroll::tree_slot(right)) + ")";
        });
    std::vector<std::string> level;
    for (std::size_t k = 0; k < count; ++k) level.push_back(std::to_string(k));
    while (level.size() > 1) {
      std::vector<std::string> above;
      for (std::size_t i = 0; i < level.size(); i += 2)
        above.push_back("(" + level[i] + "+" + level[i + 1] + ")");
      level = above;
    }
    EXPECT_EQ(slots[0], level[0]);
  }
}

}  // namespace
