// The driver of recurrent layers must be its documentation to the bit: one chain of fused
// multiply-adds for each sum, slices by the batch's size alone, their gradients added in a tree.
#include "kernels/recurrent.h"

#include <gtest/gtest.h>

#include <bit>
#include <ostream>
#include <utility>

#include "support/flush_to_zero.h"
#include "support/kernel_test.h"
#include "support/plain_rnn.h"
#include "support/recurrent_pass.h"
#include "unroll/core/threads.h"

namespace unroll::kernels {
namespace {

using test::bits_of;
using test::drive;
using test::PlainRnn;
using test::without_padding;

struct DriverCase {
  std::size_t batch, steps, input, hidden, layers;
  bool bias, h_0;
};

void PrintTo(const DriverCase& c, std::ostream* out) {
  *out << "N" << c.batch << "_T" << c.steps << "_I" << c.input << "_H" << c.hidden << "_L"
       << c.layers << (c.bias ? "" : "_no_bias") << (c.h_0 ? "" : "_no_h0");
}

const DriverCase cases[] = {
    {1, 1, 1, 1, 1, true, true},
    {3, 4, 2, 5, 1, true, true},
    {3, 4, 2, 5, 2, true, false},
    {5, 3, 7, 17, 3, false, true},
    {17, 3, 5, 33, 2, true, true},
    {33, 2, 3, 20, 1, true, false},
    {100, 5, 28, 100, 1, true, false},
    {64, 3, 9, 16, 2, true, true},
    // many steps: the gradients are summed in several chunks
    {9, 31, 1, 7, 2, true, true},
    // gradients too large for a block of each slice
    {17, 40, 70, 260, 1, true, false},
    {24, 13, 300, 200, 2, false, true},
};

class RecurrentDriver : public test::KernelTest, public ::testing::WithParamInterface<DriverCase> {
 protected:
  ~RecurrentDriver() override { set_num_threads(threads_before_); }

  RecurrentShape shape(Nonlinearity f) const {
    const DriverCase& c = GetParam();
    return {c.batch, c.steps, c.input, c.hidden, c.layers, c.bias, f};
  }
  template <class T>
  PlainRnn<T> rnn(Nonlinearity f) const {
    return PlainRnn<T>(shape(f), GetParam().h_0);
  }

 private:
  int threads_before_ = num_threads();
};

template <class T>
void expect_plain_loops(const PlainRnn<T>& rnn) {
  const test::RecurrentResults<T> got = drive(rnn);
  const std::size_t plane = rnn.shape.batch * rnn.shape.hidden;
  const auto plain = rnn.run(RecurrentPlan(rnn.shape).gradient_blocks);
  for (std::size_t l = 0; l < rnn.shape.layers; ++l) {
    const std::size_t first = (l * (rnn.shape.steps + 1) + 1) * plane,
                      count = rnn.shape.steps * plane;
    ASSERT_EQ(bits_of(std::span<const T>(got.states).subspan(first, count)),
              bits_of(std::span<const T>(plain.states).subspan(first, count)))
        << "states of layer " << l;
  }
  EXPECT_EQ(bits_of(got.gradients), bits_of(plain.gradients));
  EXPECT_EQ(bits_of(got.grad_input), bits_of(plain.grad_input));
  EXPECT_EQ(bits_of(got.grad_h_0), bits_of(plain.grad_h_0));
}

TEST_P(RecurrentDriver, BitsAreThoseOfPlainLoops) {
  for (const Nonlinearity f : {Nonlinearity::tanh, Nonlinearity::relu}) {
    expect_plain_loops(rnn<float>(f));
    expect_plain_loops(rnn<double>(f));
  }
}

TEST_P(RecurrentDriver, BitsAreTheSameOnAnyNumberOfThreads) {
  const auto numbers = rnn<float>(Nonlinearity::tanh);
  set_num_threads(1);
  const auto expected = drive(numbers);
  for (const int threads : {2, 3, 8}) {
    set_num_threads(threads);
    EXPECT_TRUE(drive(numbers) == expected) << threads;
  }
}

TEST_P(RecurrentDriver, BitsAreTheSameForEitherOrderOfTimeAndBatch) {
  const auto numbers = rnn<double>(Nonlinearity::relu);
  EXPECT_TRUE(drive(numbers, true) == drive(numbers, false));
}

TEST_P(RecurrentDriver, TwoSlotsGiveTheLastStateToo) {
  const auto numbers = rnn<float>(Nonlinearity::relu);
  const RecurrentShape& s = numbers.shape;
  const std::size_t plane = s.batch * s.hidden;
  const RecurrentPlan plan(s);
  const auto weights = test::weights_of(numbers);
  std::vector<float> packed(plan.packed_size),
      states(s.layers * 2 * s.batch * plan.row_stride, NAN);
  pack(s, weights.data(), packed.data());
  forward(RecurrentForward<float>{
      s, packed.data(), numbers.input.data(), static_cast<std::ptrdiff_t>(s.batch * s.input),
      static_cast<std::ptrdiff_t>(s.input), numbers.h_0.empty() ? nullptr : numbers.h_0.data(),
      states.data(), 2});
  states = without_padding(s, states);
  const auto all = drive(numbers).states;
  for (std::size_t l = 0; l < s.layers; ++l)
    EXPECT_EQ(
        bits_of(std::span<const float>(states).subspan((2 * l + s.steps % 2) * plane, plane)),
        bits_of(std::span<const float>(all).subspan(((l + 1) * (s.steps + 1) - 1) * plane, plane)));
}

TEST_P(RecurrentDriver, StepsOfOneSequenceGiveItsStates) {
  const auto numbers = rnn<float>(Nonlinearity::tanh);
  const RecurrentShape& s = numbers.shape;
  const auto weights = test::weights_of(numbers);
  std::vector<float> packed(RecurrentPlan(s).packed_size);
  pack(s, weights.data(), packed.data());
  const std::size_t plane = s.batch * s.hidden, n = s.batch - 1;  // follows the last sequence
  std::vector<float> h(s.layers * s.hidden), next(h.size());
  for (std::size_t l = 0; l < s.layers && !numbers.h_0.empty(); ++l)
    std::copy_n(&numbers.h_0[l * plane + n * s.hidden], s.hidden, &h[l * s.hidden]);
  const auto all = drive(numbers).states;
  for (std::size_t t = 0; t < s.steps; ++t) {
    step(s, packed.data(), &numbers.input[(t * s.batch + n) * s.input],
         t == 0 && numbers.h_0.empty() ? nullptr : h.data(), next.data());
    h.swap(next);
    for (std::size_t l = 0; l < s.layers; ++l)
      ASSERT_EQ(bits_of(std::span<const float>(h).subspan(l * s.hidden, s.hidden)),
                bits_of(std::span<const float>(all).subspan(
                    (l * (s.steps + 1) + t + 1) * plane + n * s.hidden, s.hidden)))
          << "layer " << l << ", step " << t;
  }
}

TEST_P(RecurrentDriver, SlicesAreAPowerOfTwo) {
  const RecurrentPlan plan(shape(Nonlinearity::tanh));
  EXPECT_TRUE(std::has_single_bit(plan.slices));
  EXPECT_LE(plan.slices, GetParam().batch);
}

INSTANTIATE_TEST_SUITE_P(Shapes, RecurrentDriver, ::testing::ValuesIn(cases),
                         ::testing::PrintToStringParamName());

TEST(RecurrentPlan, IsThatOfTheDocumentation) {
  EXPECT_EQ(RecurrentPlan({100, 28, 28, 100, 1}).slices, 8u);
  EXPECT_EQ(RecurrentPlan({7, 28, 28, 100, 1}).slices, 1u);
  EXPECT_EQ(RecurrentPlan({16, 28, 28, 100, 1}).slices, 2u);
  // A block of gradients for each slice where a core's cache holds it, one for all elsewhere.
  EXPECT_EQ(RecurrentPlan({100, 28, 28, 100, 1}).gradient_blocks, 8u);
  EXPECT_EQ(RecurrentPlan({64, 64, 256, 256, 1}).gradient_blocks, 1u);
}

TEST(RecurrentPlan, RowsAreWholeCacheLinesAndSpreadOverTheSets) {
  for (const auto& [size, padded] : std::vector<std::pair<std::size_t, std::size_t>>{
           {1, 16}, {16, 16}, {100, 112}, {128, 144}, {256, 272}, {1024, 1040}})
    EXPECT_EQ(padded_row(size), padded) << size;
}

class RecurrentSpecial : public test::KernelTest {};

// W_hh of 1/2 and no input: the states of a ReLU layer fall by half a step into the subnormals.
TEST_F(RecurrentSpecial, SubnormalStatesAreKeptWhateverTheCallerSet) {
  PlainRnn<float> rnn({1, 140, 1, 1, 1, false, Nonlinearity::relu}, true);
  rnn.layers[0].weight_ih = {0};
  rnn.layers[0].weight_hh = {0.5f};
  rnn.h_0 = {1};
  const test::FlushToZero flush;
  EXPECT_EQ(drive(rnn).states.back(), 0x1p-140f);
}

TEST_F(RecurrentSpecial, NanInOneSequenceStaysInIt) {
  for (const Nonlinearity f : {Nonlinearity::tanh, Nonlinearity::relu}) {
    PlainRnn<float> rnn({3, 4, 2, 5, 1, true, f}, false);
    rnn.input[(1 * 3 + 1) * 2] = NAN;  // step 1, sequence 1
    const auto states = drive(rnn).states;
    for (std::size_t t = 0; t < 4; ++t)
      for (std::size_t n = 0; n < 3; ++n)
        for (std::size_t j = 0; j < 5; ++j)
          EXPECT_EQ(std::isnan(states[((t + 1) * 3 + n) * 5 + j]), t >= 1 && n == 1);
  }
}

}  // namespace
}  // namespace unroll::kernels
