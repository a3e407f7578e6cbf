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

  /// How many of the steps [begin, end) each task has; every slice must be in one.
  static std::vector<std::size_t> work_of_tasks(const RecurrentShape& s, std::size_t slices,
                                                std::size_t begin, std::size_t end) {
    std::vector<std::atomic<int>> seen(slices);
    std::vector<std::atomic<std::size_t>> work(slices);
    const TimeAxis time(s);
    Tasks(s, slices, begin, end).run([&](std::size_t first, std::size_t last) {
      for (std::size_t slice = first; slice < last; ++slice) ++seen[slice];
      const Rows rows{rows_of_slices(s, slices, first, first).begin,
                      rows_of_slices(s, slices, last, last).begin};
      for (std::size_t step = begin; step < end; ++step)
        work[first] += time.active(step, rows).count();
    });
    for (std::size_t slice = 0; slice < slices; ++slice) EXPECT_EQ(seen[slice], 1) << slice;
    std::vector<std::size_t> result;
    for (const auto& w : work)
      if (w > 0) result.push_back(w);
    return result;
  }
  static std::vector<std::size_t> work_of_tasks(const RecurrentShape& s, std::size_t slices) {
    return work_of_tasks(s, slices, 0, s.steps);
  }

 private:
  int threads_before_ = num_threads();
};

TEST_F(RecurrentTasks, EverySliceIsInOne) {
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    for (const std::size_t batch : {1, 7, 16, 100, 333, 5000}) {
      RecurrentShape s;
      s.batch = batch;
      s.steps = 3;
      const std::size_t slices = RecurrentPlan(s).slices;
      const auto work = work_of_tasks(s, slices);
      // Two a thread, but for one thread alone, if there are so many slices.
      if (batch <= 100) {
        EXPECT_EQ(work.size(),
                  std::min(slices,
                           threads == 1 ? std::size_t{1} : 2 * static_cast<std::size_t>(threads)));
      }
      std::vector<std::size_t> lengths(batch);
      for (std::size_t n = 0; n < batch; ++n) lengths[n] = n < batch / 10 ? 3 : 1;
      s.lengths = lengths.data();
      work_of_tasks(s, slices);
    }
  }
}

// As many time steps for each, to within a slice.
TEST_F(RecurrentTasks, RaggedBatchesAreDealtOutByTheirSteps) {
  set_num_threads(4);
  RecurrentShape s;
  s.batch = 512;  // 64 slices of 8 rows
  s.steps = 256;
  std::vector<std::size_t> lengths(s.batch);
  for (std::size_t n = 0; n < s.batch; ++n) lengths[n] = 256 - n / 2;
  s.lengths = lengths.data();
  const auto work = work_of_tasks(s, RecurrentPlan(s).slices);
  ASSERT_EQ(work.size(), 8u);
  std::size_t total = 0;
  for (const std::size_t length : lengths) total += length;
  for (const std::size_t w : work) {
    EXPECT_LE(w, total / 8 + 8 * 256);
    EXPECT_GE(w + 8 * 256, total / 8);
  }
}

// Where threads meet after some steps, these are dealt out, not those of the whole sequences.
TEST_F(RecurrentTasks, ChunksOfRaggedBatchesAreDealtOutByTheirOwnSteps) {
  set_num_threads(4);
  for (const bool reverse : {false, true}) {
    RecurrentShape s;
    s.batch = 64;  // 8 slices
    s.steps = 100;
    s.reverse = reverse;
    std::vector<std::size_t> lengths(s.batch, 5);
    for (std::size_t n = 0; n < 32; ++n) lengths[n] = 100;
    s.lengths = lengths.data();
    const std::size_t slices = RecurrentPlan(s).slices;
    EXPECT_EQ(work_of_tasks(s, slices, 50, 60), (std::vector<std::size_t>{80, 80, 80, 80}));
  }
}

TEST_F(RecurrentTasks, OneOfLargeWeightsForEachThread) {
  set_num_threads(3);
  RecurrentShape s;
  s.batch = 64;
  s.steps = 2;
  s.input = s.hidden = 200;
  ASSERT_TRUE(s.large());
  EXPECT_EQ(work_of_tasks(s, RecurrentPlan(s).slices).size(), 3u);
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
