// Which rows take part in which step, and how they are dealt out.
#include "kernels/recurrent_time.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "unroll/core/threads.h"

namespace unroll::kernels {
namespace {

/// The rows of [begin, end) for which `is` says yes, which are adjacent.
template <class F>
std::vector<std::size_t> those(Rows rows, F is) {
  std::vector<std::size_t> found;
  for (std::size_t n = rows.begin; n < rows.end; ++n)
    if (is(n)) found.push_back(n);
  return found;
}
std::vector<std::size_t> all_of(Rows rows) {
  return those(rows, [](std::size_t) { return true; });
}

struct Ragged {
  std::size_t steps;
  std::vector<std::size_t> lengths;
};

const std::vector<Ragged> batches{
    {1, {1}},          {4, {4, 4, 4}}, {5, {5, 4, 3, 2, 1}}, {6, {4, 4, 2, 2, 1, 1, 1}},
    {3, {3, 1, 1, 1}}, {9, {1, 1}}};

RecurrentShape shape_of(const Ragged& batch, bool reverse) {
  RecurrentShape s;
  s.batch = batch.lengths.size();
  s.steps = batch.steps;
  s.reverse = reverse;
  s.lengths = batch.lengths.data();
  return s;
}

TEST(TimeAxis, RowsAreThoseThatHaveTheStep) {
  for (const Ragged& batch : batches)
    for (const bool reverse : {false, true}) {
      const RecurrentShape s = shape_of(batch, reverse);
      const TimeAxis time(s);
      // has(s, n): the n-th sequence has the s-th step that is computed.
      const auto has = [&](std::size_t step, std::size_t n) {
        return step < s.steps && time.t(step) < batch.lengths[n];
      };
      for (std::size_t begin = 0; begin < s.batch; ++begin)
        for (std::size_t end = begin; end <= s.batch; ++end)
          for (std::size_t step = 0; step < s.steps; ++step) {
            const Rows rows{begin, end};
            const auto before = [&](std::size_t n) { return step > 0 && has(step - 1, n); };
            const auto now = [&](std::size_t n) { return has(step, n); };
            const auto after = [&](std::size_t n) { return has(step + 1, n); };
            const auto expect = [&](Rows got, auto is, const char* what) {
              EXPECT_EQ(all_of(got), those(rows, is))
                  << what << " at " << step << (reverse ? " reverse" : "");
            };
            expect(time.active(step, rows), now, "active");
            expect(
                time.continuing(step, rows), [&](std::size_t n) { return now(n) && before(n); },
                "continuing");
            expect(
                time.starting(step, rows), [&](std::size_t n) { return now(n) && !before(n); },
                "starting");
            expect(
                time.leaving(step, rows), [&](std::size_t n) { return now(n) && after(n); },
                "leaving");
            expect(
                time.ending(step, rows), [&](std::size_t n) { return now(n) && !after(n); },
                "ending");
          }
    }
}

TEST(TimeAxis, GoesThroughAllStepsInEitherDirection) {
  for (const bool reverse : {false, true}) {
    RecurrentShape s;
    s.batch = 1;
    s.steps = 4;
    s.reverse = reverse;
    const TimeAxis time(s);
    std::vector<std::size_t> order;
    for (std::size_t step = 0; step < 4; ++step) order.push_back(time.t(step));
    EXPECT_EQ(order, reverse ? (std::vector<std::size_t>{3, 2, 1, 0})
                             : (std::vector<std::size_t>{0, 1, 2, 3}));
    EXPECT_EQ(time.direction(), reverse ? -1 : 1);
  }
}

class RecurrentTasks : public ::testing::Test {
 protected:
  ~RecurrentTasks() override { set_num_threads(threads_before_); }

  /// How many of the steps [begin, end) each task has; every row must be in one.
  static std::vector<std::size_t> work_of_tasks(const RecurrentShape& s, Tasks::Of of,
                                                std::size_t begin, std::size_t end) {
    std::vector<std::atomic<int>> seen(s.batch);
    std::vector<std::atomic<std::size_t>> work(s.batch);
    const TimeAxis time(s);
    Tasks(s, of, begin, end).run([&](Rows rows) {
      for (std::size_t n = rows.begin; n < rows.end; ++n) ++seen[n];
      for (std::size_t step = begin; step < end; ++step)
        work[rows.begin] += time.active(step, rows).count();
    });
    for (std::size_t n = 0; n < s.batch; ++n) EXPECT_EQ(seen[n], 1) << n;
    std::vector<std::size_t> result;
    for (const auto& w : work)
      if (w > 0) result.push_back(w);
    return result;
  }
  static std::vector<std::size_t> work_of_tasks(const RecurrentShape& s,
                                                Tasks::Of of = Tasks::Of::rows) {
    return work_of_tasks(s, of, 0, s.steps);
  }

 private:
  int threads_before_ = num_threads();
};

TEST_F(RecurrentTasks, EveryRowIsInOne) {
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    const auto wanted = threads == 1 ? std::size_t{1} : 2 * static_cast<std::size_t>(threads);
    for (const std::size_t batch : {1, 7, 16, 100, 333, 5000}) {
      RecurrentShape s;
      s.batch = batch;
      s.steps = 3;
      // Two a thread, but for one thread alone, if there are so many shards, or so many times 8
      // rows.
      const auto by_rows = work_of_tasks(s), by_shards = work_of_tasks(s, Tasks::Of::shards);
      if (batch <= 100) {
        EXPECT_EQ(by_rows.size(),
                  std::clamp<std::size_t>(wanted, 1, std::max<std::size_t>(1, batch / 8)));
        EXPECT_EQ(by_shards.size(), std::min(wanted, s.shards().count()));
      }
      std::vector<std::size_t> lengths(batch);
      for (std::size_t n = 0; n < batch; ++n) lengths[n] = n < batch / 10 ? 3 : 1;
      s.lengths = lengths.data();
      work_of_tasks(s);
      work_of_tasks(s, Tasks::Of::shards);
    }
  }
}

// A shard never lies in two tasks.
TEST_F(RecurrentTasks, OfShardsBeginWithAShard) {
  set_num_threads(3);
  RecurrentShape s;
  s.batch = 130;  // 8 shards
  s.steps = 2;
  Tasks(s, Tasks::Of::shards, 0, 2).run([&](Rows rows) {
    const Shards shards = s.shards();
    bool begins = false, ends = false;
    for (std::size_t k = 0; k <= shards.count(); ++k) {
      begins |= rows.begin == shards.begin(k);
      ends |= rows.end == shards.begin(k);
    }
    EXPECT_TRUE(begins && ends) << rows.begin << " " << rows.end;
  });
}

// Few rows of much work are shared too.
TEST_F(RecurrentTasks, FourRowsAreEnoughIfEachIsMuchWork) {
  set_num_threads(2);
  RecurrentShape s;
  s.batch = 8;
  s.steps = 28;
  s.input = 28;
  s.hidden = 100;
  EXPECT_EQ(work_of_tasks(s).size(), 2u);
  s.batch = 7;
  EXPECT_EQ(work_of_tasks(s).size(), 1u);
}

// As many time steps for each, to within a row.
TEST_F(RecurrentTasks, RaggedBatchesAreDealtOutByTheirSteps) {
  set_num_threads(4);
  RecurrentShape s;
  s.batch = 512;
  s.steps = 256;
  std::vector<std::size_t> lengths(s.batch);
  for (std::size_t n = 0; n < s.batch; ++n) lengths[n] = 256 - n / 2;
  s.lengths = lengths.data();
  const auto work = work_of_tasks(s);
  ASSERT_EQ(work.size(), 8u);
  std::size_t total = 0;
  for (const std::size_t length : lengths) total += length;
  for (const std::size_t w : work) {
    EXPECT_LE(w, total / 8 + 256);
    EXPECT_GE(w + 256, total / 8);
  }
}

// Where threads meet after some steps, these are dealt out, not those of the whole sequences.
TEST_F(RecurrentTasks, ChunksOfRaggedBatchesAreDealtOutByTheirOwnSteps) {
  set_num_threads(4);
  for (const bool reverse : {false, true}) {
    RecurrentShape s;
    s.batch = 64;
    s.steps = 100;
    s.reverse = reverse;
    std::vector<std::size_t> lengths(s.batch, 5);
    for (std::size_t n = 0; n < 32; ++n) lengths[n] = 100;
    s.lengths = lengths.data();
    EXPECT_EQ(work_of_tasks(s, Tasks::Of::rows, 50, 60), std::vector<std::size_t>(8, 40));
  }
}

TEST_F(RecurrentTasks, OneOfLargeWeightsForEachThread) {
  set_num_threads(3);
  RecurrentShape s;
  s.batch = 64;
  s.steps = 2;
  s.input = s.hidden = 200;
  ASSERT_TRUE(s.large());
  EXPECT_EQ(work_of_tasks(s).size(), 3u);
}

TEST_F(RecurrentTasks, LargeWeightsShareSteps) {
  RecurrentShape s;
  s.cell = Cell::lstm;
  s.batch = 16;
  s.input = s.hidden = 1024;
  set_num_threads(2);
  EXPECT_TRUE(steps_are_shared(s));
  set_num_threads(1);
  EXPECT_FALSE(steps_are_shared(s));
  set_num_threads(2);
  for (bool RecurrentShape::*meeting :
       {&RecurrentShape::layer_norm, &RecurrentShape::zoneout, &RecurrentShape::state_dropout}) {
    RecurrentShape other = s;
    other.*meeting = true;  // the units of a step meet
    EXPECT_FALSE(steps_are_shared(other));
  }
  s.hidden = 64;
  EXPECT_FALSE(steps_are_shared(s));
}

}  // namespace
}  // namespace unroll::kernels
