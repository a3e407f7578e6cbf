#include "data/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "data/order.h"
#include "support/expect_error.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

std::vector<std::int64_t> indices_of(std::span<const Pick> picks) {
  std::vector<std::int64_t> result;
  for (const Pick& pick : picks) result.push_back(pick.index);
  return result;
}

std::vector<std::uint32_t> draws_of(std::span<const Pick> picks) {
  std::vector<std::uint32_t> result;
  for (const Pick& pick : picks) result.push_back(pick.draw);
  return result;
}

TEST(Sampler, StartsANewPassWhereTheOneBeforeEnds) {
  Generator generator(4), same(4);
  Sampler sampler(7, {}, {.batch_size = 3, .shuffle = true});
  for (int pass = 0; pass < 3; ++pass) {
    std::vector<std::int64_t> seen;
    for (int batch = 1; batch <= 3; ++batch)
      std::ranges::copy(indices_of(sampler.next(3 * pass + batch, generator)),
                        std::back_inserter(seen));
    EXPECT_EQ(seen, shuffled_order(same, 7));
  }
}

TEST(Sampler, AnEndlessPartFollowsFromTheStepAndDrawsNothing) {
  Generator generator(4), same(4);
  Sampler sampler(Source::endless, {}, {.batch_size = 3, .shuffle = true});
  EXPECT_EQ(indices_of(sampler.next(1, generator)), (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(indices_of(sampler.next(5, generator)), (std::vector<std::int64_t>{12, 13, 14}));
  EXPECT_EQ(generator.next_u64(), same.next_u64());
  Sampler::Position position;
  sampler.position(position);
  EXPECT_EQ(to_json(position), "");
}

TEST(Sampler, DrawsComeFromASequenceOfTheirOwn) {
  Generator generator(4), own(9, Rng::native, 1);
  Sampler plain(5, {}, {.batch_size = 5}), drawing(5, {}, {.batch_size = 5, .draw_seed = 9});
  EXPECT_EQ(draws_of(plain.next(1, generator)), (std::vector<std::uint32_t>(5)));
  std::vector<std::uint32_t> expected;
  for (int i = 0; i < 5; ++i) expected.push_back(own.next_u32());
  EXPECT_EQ(draws_of(drawing.next(1, generator)), expected);
}

// Saves and resumes through JSON, at every batch of three passes.
TEST(Sampler, GoesOnBehindItsPosition) {
  const std::vector<std::int64_t> lengths = {5, 1, 9, 3, 3, 7, 2, 8, 4, 6, 1};
  for (const std::span<const std::int64_t> given : {std::span<const std::int64_t>(), {lengths}})
    for (const Rng rng : {Rng::native, Rng::torch})
      for (int made = 0; made <= 12; ++made) {
        const SamplerOptions options{
            .batch_size = 3, .shuffle = true, .bucket_batches = 2, .draw_seed = 1};
        Generator generator(7, rng);
        Sampler whole(11, given, options), resumed(11, given, options);
        for (int step = 1; step <= made; ++step) whole.next(step, generator);
        Sampler::Position position;
        whole.position(position);
        Generator again = generator;
        resumed.resume(position_from(to_json(position)), rng);
        for (int step = made + 1; step <= made + 6; ++step) {
          const auto a = whole.next(step, generator), b = resumed.next(step, again);
          EXPECT_EQ(indices_of(a), indices_of(b));
          EXPECT_EQ(draws_of(a), draws_of(b));
        }
      }
}

// A position as version 0.1.0 wrote it into a checkpoint.
TEST(Sampler, ReadsThePositionOfOlderCheckpoints) {
  const std::string state = Generator(3).state();
  const std::string text = R"({"order_seed":17,"first":200,"shifts":")" + state + R"("})";
  const Sampler::Position position = position_from(text);
  EXPECT_TRUE(position.begun);
  EXPECT_EQ(position.order_seed, 17u);
  EXPECT_EQ(position.first, 200);
  EXPECT_EQ(position.draws.state(), state);
  EXPECT_EQ(to_json(position), text);
}

TEST(Sampler, ADamagedPositionIsRefused) {
  for (const char* text : {"{", R"({"first":1})", R"({"order_seed":1,"first":"x","shifts":""})",
                           R"({"order_seed":1,"first":0,"shifts":"x"})"})
    EXPECT_THROW(position_from(text), FormatError) << text;
  Sampler sampler(11, {}, {.batch_size = 3, .shuffle = true});
  for (const std::int64_t first : {-3, 1, 12})
    EXPECT_THROW(sampler.resume({true, 0, first}, Rng::native), ValueError) << first;
}

}  // namespace
}  // namespace unroll::data
