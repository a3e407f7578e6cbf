// The driver of recurrent layers must be its documentation to the bit: one chain of fused
// multiply-adds for each sum of a shard, and a tree over the shards.
#include "kernels/recurrent.h"

#include <gtest/gtest.h>

#include <ostream>
#include <utility>

#include "kernels/recurrent_layout.h"
#include "kernels/recurrent_time.h"
#include "support/all_cells.h"
#include "support/flush_to_zero.h"
#include "support/plain_recurrent.h"
#include "support/recurrent_pass.h"

namespace unroll::kernels {
namespace {

using test::drive;
using test::expect_same_bits;
using test::Order;
using test::plain_loops;
using test::RecurrentCase;
using test::RecurrentNumbers;

struct DriverCase {
  std::size_t batch, steps, input, hidden;
  bool bias = true, first_states = true, reverse = false;
  std::vector<std::size_t> lengths{};

  RecurrentCase layer(Cell cell) const {
    RecurrentCase layer;
    layer.shape.cell = cell;
    layer.shape.batch = batch;
    layer.shape.steps = steps;
    layer.shape.input = input;
    layer.shape.hidden = hidden;
    layer.shape.bias = bias;
    layer.shape.reverse = reverse;
    layer.first_states = first_states;
    layer.lengths = lengths;
    return layer;
  }
};

void PrintTo(const DriverCase& c, std::ostream* out) {
  *out << "N" << c.batch << "_T" << c.steps << "_I" << c.input << "_H" << c.hidden
       << (c.bias ? "" : "_no_bias") << (c.first_states ? "" : "_no_h0")
       << (c.reverse ? "_reverse" : "") << (c.lengths.empty() ? "" : "_ragged");
}

/// Of `batch` sequences, the first as long as `longest`, the last one step.
std::vector<std::size_t> ragged(std::size_t batch, std::size_t longest) {
  std::vector<std::size_t> lengths(batch);
  for (std::size_t n = 0; n < batch; ++n)
    lengths[n] = std::max<std::size_t>(1, longest - n * longest / batch);
  return lengths;
}

const DriverCase cases[] = {
    {1, 1, 1, 1},
    {3, 4, 2, 5},
    {3, 4, 9, 5, true, false},
    {5, 3, 7, 17, false, true},
    {5, 3, 7, 17, false, false, true},
    {17, 3, 5, 33, true, true, true},
    {33, 2, 3, 20, true, false},
    {100, 5, 28, 40, true, false},
    {6, 5, 3, 7, true, true, false, {5, 5, 3, 3, 2, 1}},
    {6, 5, 3, 7, true, false, false, {4, 4, 4, 2, 2, 2}},  // none has the last step
    {6, 5, 3, 7, true, true, true, {5, 4, 4, 4, 1, 1}},
    {35, 9, 4, 19, true, false, true, ragged(35, 9)},
    {35, 9, 4, 19, false, true, false, ragged(35, 9)},
    // many steps: the gradients are summed in several chunks
    {9, 31, 1, 7},
    {19, 31, 2, 7, true, true, true, ragged(19, 31)},
    // more rows than a task's
    {300, 2, 1, 3, true, true, false, ragged(300, 2)},
};

class RecurrentDriver : public test::RecurrentTest,
                        public ::testing::WithParamInterface<DriverCase> {
 protected:
  /// Calls f(numbers, name) for each cell.
  template <class T, class F>
  void for_cells(F f) const {
    for (const Cell cell : test::all_cells)
      f(RecurrentNumbers<T>(GetParam().layer(cell)),
        test::name_of(cell) + std::string(sizeof(T) == 4 ? " f32" : " f64"));
  }
};

TEST_P(RecurrentDriver, BitsAreThoseOfPlainLoopsOnAnyNumberOfThreads) {
  const auto expect_plain = [](const auto& numbers, const std::string& name) {
    const auto plain = plain_loops(numbers);
    for (const int threads : {1, 2, 3, 8}) {
      set_num_threads(threads);
      expect_same_bits(drive(numbers), plain, name + ", threads: " + std::to_string(threads));
    }
  };
  for_cells<float>(expect_plain);
  for_cells<double>(expect_plain);
}

TEST_P(RecurrentDriver, BitsAreTheSameHoweverSequencesLie) {
  for_cells<double>([](const auto& numbers, const std::string& name) {
    const auto dense = drive(numbers);
    expect_same_bits(drive(numbers, Order::batch_first), dense, name + ", batch first");
    expect_same_bits(drive(numbers, Order::padded), dense, name + ", padded");
  });
}

TEST_P(RecurrentDriver, TwoSlotsGiveTheLastStatesToo) {
  for_cells<float>([](const auto& numbers, const std::string& name) {
    auto expected = drive(numbers).states;
    expected.erase("output");
    for (const Order order : {Order::dense, Order::batch_first})
      expect_same_bits(test::RecurrentPass<float>(numbers, order).forward_only(), expected, name);
  });
}

// What a layer of which only some states are used has to do.
TEST_P(RecurrentDriver, GradientsFromOutsideMayBeMissing) {
  for_cells<float>([](const auto& all, const std::string& name) {
    const RecurrentShape& s = all.layer.shape;
    auto last = all;  // of the output's last step only
    last.grad_first = s.steps - 1;
    last.grad_count = 1;
    last.gradients["output"].erase(
        last.gradients["output"].begin(),
        last.gradients["output"].end() - static_cast<std::ptrdiff_t>(s.batch * s.output()));
    expect_same_bits(drive(last), plain_loops(last), name + ", last step");
    auto output = all;
    output.gradients.erase("h_n");
    output.gradients.erase("c_n");
    expect_same_bits(drive(output), plain_loops(output), name + ", output only");
    auto states = all;
    states.gradients.erase("output");
    states.grad_count = 0;
    expect_same_bits(drive(states), plain_loops(states), name + ", states only");
    states.gradients.clear();
    const auto none = drive(states).gradients;
    for (const auto& [of, gradient] : none)
      for (const float x : gradient)
        ASSERT_TRUE(x == 0 || x == test::kUntouched) << name << " " << of;
  });
}

TEST_P(RecurrentDriver, GradientsOfTheWeightsAreTheSameWithoutTheOthers) {
  for_cells<float>([](const auto& numbers, const std::string& name) {
    auto expected = drive(numbers);
    for (const char* other : {"input", "h_0", "c_0"}) expected.gradients.erase(other);
    expect_same_bits(test::RecurrentPass<float>(numbers).run(true), expected, name);
  });
}

INSTANTIATE_TEST_SUITE_P(Shapes, RecurrentDriver, ::testing::ValuesIn(cases),
                         ::testing::PrintToStringParamName());

class RecurrentDriverLarge : public test::RecurrentTest {};

// Gradients in tiles, with the number of chunks that the sizes ask for.
template <class T>
void expect_tiles(Cell cell, const DriverCase& large, std::size_t chunks, bool in_panels) {
  const RecurrentNumbers<T> numbers(large.layer(cell));
  ASSERT_TRUE(numbers.shape().large());
  const TilePlan plan(numbers.shape());
  ASSERT_EQ(plan.chunks, chunks);
  ASSERT_EQ(plan.in_panels, in_panels);
  const auto plain = plain_loops(numbers);
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    expect_same_bits(drive(numbers), plain, "threads: " + std::to_string(threads));
  }
}

TEST_F(RecurrentDriverLarge, GradientsOfOneShard) {
  expect_tiles<float>(Cell::rnn_relu, {20, 33, 300, 160}, 2, false);
}
TEST_F(RecurrentDriverLarge, GradientsOfRelu) {
  expect_tiles<float>(Cell::rnn_relu, {40, 27, 300, 160, true, false}, 2, false);
}
TEST_F(RecurrentDriverLarge, GradientsOfTanh) {
  expect_tiles<double>(Cell::rnn_tanh, {130, 3, 12, 252}, 1, false);
}
TEST_F(RecurrentDriverLarge, GradientsOfTanhInPanels) {
  expect_tiles<double>(Cell::rnn_tanh, {130, 2, 12, 520}, 1, true);
}
TEST_F(RecurrentDriverLarge, GradientsOfLstm) {
  expect_tiles<float>(Cell::lstm, {130, 3, 12, 125, true, true, true, ragged(130, 3)}, 1, false);
}
TEST_F(RecurrentDriverLarge, GradientsOfLstmInPanels) {
  expect_tiles<float>(Cell::lstm, {130, 3, 5, 260, true, true, true, ragged(130, 3)}, 1, true);
}
TEST_F(RecurrentDriverLarge, GradientsOfGru) {
  expect_tiles<double>(Cell::gru, {130, 3, 12, 143, true, true, false, ragged(130, 3)}, 1, false);
}

template <class T>
void expect_shared_steps(Cell cell, std::size_t hidden, bool reverse) {
  DriverCase wide{3, 3, 3, hidden, true, true, reverse, {3, 2, 2}};
  const RecurrentNumbers<T> numbers(wide.layer(cell));
  const auto plain = plain_loops(numbers);
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    ASSERT_EQ(steps_are_shared(numbers.shape()), threads > 1);
    expect_same_bits(drive(numbers), plain, "threads: " + std::to_string(threads));
    auto last = plain.states;
    last.erase("output");
    expect_same_bits(test::RecurrentPass<T>(numbers).forward_only(), last, "two slots");
  }
}

TEST_F(RecurrentDriverLarge, StepsOfLargeRelu) {
  expect_shared_steps<float>(Cell::rnn_relu, 2050, false);
}
TEST_F(RecurrentDriverLarge, StepsOfLargeTanh) {
  expect_shared_steps<double>(Cell::rnn_tanh, 2050, true);
}
TEST_F(RecurrentDriverLarge, StepsOfLargeLstm) {
  expect_shared_steps<float>(Cell::lstm, 1030, true);
}
TEST_F(RecurrentDriverLarge, StepsOfLargeGru) {
  expect_shared_steps<float>(Cell::gru, 1190, false);
}

RecurrentPlan plan_of(Cell cell, std::size_t batch, std::size_t input, std::size_t hidden) {
  return RecurrentPlan(DriverCase{batch, 28, input, hidden}.layer(cell).shape);
}

TEST(RecurrentPlan, IsThatOfTheDocumentation) {
  // A block of gradients for each shard, or for each level of the tree where a tile's is computed
  // at once.
  EXPECT_EQ(plan_of(Cell::rnn_relu, 7, 28, 100).gradient_blocks, 1u);
  EXPECT_EQ(plan_of(Cell::rnn_relu, 100, 28, 100).gradient_blocks, 4u);
  EXPECT_EQ(plan_of(Cell::lstm, 64, 1024, 1024).gradient_blocks, 3u);
  EXPECT_EQ(plan_of(Cell::lstm, 512, 1024, 1024).gradient_blocks, 6u);
}

TEST(RecurrentPlan, RowsAreWholeCacheLinesAndSpreadOverTheSets) {
  for (const auto& [size, padded] : std::vector<std::pair<std::size_t, std::size_t>>{
           {1, 16}, {16, 16}, {100, 112}, {128, 144}, {256, 272}, {1024, 1040}})
    EXPECT_EQ(padded_row(size), padded) << size;
}

class RecurrentSpecial : public test::RecurrentTest {};

// W_hh of 1/2 and no input: the states of a ReLU layer fall by half a step into the subnormals.
TEST_F(RecurrentSpecial, SubnormalStatesAreKeptWhateverTheCallerSet) {
  RecurrentNumbers<float> numbers(DriverCase{1, 140, 1, 1, false}.layer(Cell::rnn_relu));
  numbers.values["weight_ih"] = {0};
  numbers.values["weight_hh"] = {0.5f};
  numbers.values["h_0"] = {1};
  const test::FlushToZero flush;
  EXPECT_EQ(drive(numbers).states.at("h_n")[0], 0x1p-140f);
}

TEST_F(RecurrentSpecial, NanInOneSequenceStaysInIt) {
  for (const Cell cell : test::all_cells) {
    const std::string name = test::name_of(cell);
    RecurrentNumbers<float> numbers(DriverCase{3, 4, 2, 5}.layer(cell));
    numbers.values["input"][(1 * 3 + 1) * 2] = NAN;  // step 1, sequence 1
    const auto states = drive(numbers).states.at("output");
    for (std::size_t t = 0; t < 4; ++t)
      for (std::size_t n = 0; n < 3; ++n)
        for (std::size_t j = 0; j < 5; ++j)
          EXPECT_EQ(std::isnan(states[(t * 3 + n) * 5 + j]), t >= 1 && n == 1) << name;
  }
}

// Lengths say what would happen if each sequence were alone.
TEST_F(RecurrentSpecial, SequencesOfABatchAreThoseOfOne) {
  for (const bool reverse : {false, true})
    for (const Cell cell : test::all_cells) {
      const std::string name = test::name_of(cell);
      const RecurrentNumbers<float> batch(
          DriverCase{4, 6, 3, 5, true, false, reverse, {6, 4, 4, 1}}.layer(cell));
      const auto together = drive(batch);
      for (std::size_t n = 0; n < 4; ++n) {
        const std::size_t length = batch.length(n);
        RecurrentNumbers<float> one(DriverCase{1, length, 3, 5, true, false, reverse}.layer(cell));
        for (const char* weight : {"weight_ih", "weight_hh", "bias_ih", "bias_hh"})
          one.values[weight] = batch.values.at(weight);
        for (std::size_t t = 0; t < length; ++t)
          std::copy_n(&batch.values.at("input")[(t * 4 + n) * 3], 3, &one.values["input"][t * 3]);
        const auto alone = drive(one).states;
        const auto& output = together.states.at("output");
        for (std::size_t t = 0; t < 6; ++t)
          for (std::size_t j = 0; j < 5; ++j)
            EXPECT_EQ(output[(t * 4 + n) * 5 + j],
                      t < length ? alone.at("output")[t * 5 + j] : 0.0f)
                << name;
        for (std::size_t j = 0; j < 5; ++j)
          EXPECT_EQ(together.states.at("h_n")[n * 5 + j], alone.at("h_n")[j]) << name;
      }
    }
}

}  // namespace
}  // namespace unroll::kernels
