// The driver of recurrent layers must be its documentation to the bit: one chain of fused
// multiply-adds for each sum, slices by the batch's size alone, their gradients added in a tree.
#include "kernels/recurrent.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <ostream>
#include <tuple>
#include <utility>

#include "support/flush_to_zero.h"
#include "support/kernel_test.h"
#include "support/plain_rnn.h"
#include "unroll/core/threads.h"

namespace unroll::kernels {
namespace {

using test::bits_of;
using test::PlainRnn;

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

/// What a pass through the driver leaves.
template <class T>
struct Results {
  std::vector<T> states, grad_input, grad_h_0, gradients;

  friend bool operator==(const Results& a, const Results& b) {
    return bits_of(a.states) == bits_of(b.states) &&
           bits_of(a.grad_input) == bits_of(b.grad_input) &&
           bits_of(a.grad_h_0) == bits_of(b.grad_h_0) &&
           bits_of(a.gradients) == bits_of(b.gradients);
  }
};

/// (..., S) to (..., H)
template <class T>
std::vector<T> without_padding(const RecurrentShape& s, const std::vector<T>& states) {
  std::vector<T> dense;
  for (std::size_t at = 0; at < states.size(); at += padded_row(s.hidden))
    dense.insert(dense.end(), &states[at], &states[at] + s.hidden);
  return dense;
}

/// Forward and backward with these numbers; with batch_first the sequences lie (N, T, ...).
template <class T>
Results<T> drive(const PlainRnn<T>& rnn, bool batch_first = false) {
  const RecurrentShape& s = rnn.shape;
  const RecurrentPlan plan(s);
  const auto strides = [&](std::size_t features) {
    const auto near = static_cast<std::ptrdiff_t>(features);
    const auto far = near * static_cast<std::ptrdiff_t>(batch_first ? s.steps : s.batch);
    return batch_first ? std::pair(near, far) : std::pair(far, near);  // of a step, of a row
  };
  const auto ordered = [&](const std::vector<T>& values, std::size_t features, bool back) {
    if (!batch_first || values.empty()) return values;
    std::vector<T> result(values.size());
    for (std::size_t t = 0; t < s.steps; ++t)
      for (std::size_t n = 0; n < s.batch; ++n) {
        const std::size_t outer = (t * s.batch + n) * features,
                          inner = (n * s.steps + t) * features;
        std::memcpy(&result[back ? outer : inner], &values[back ? inner : outer],
                    features * sizeof(T));
      }
    return result;
  };

  Results<T> r;
  std::vector<RecurrentWeights<T>> weights;
  for (const auto& w : rnn.layers)
    weights.push_back({w.weight_ih.data(), w.weight_hh.data(), s.bias ? w.bias_ih.data() : nullptr,
                       s.bias ? w.bias_hh.data() : nullptr});
  std::vector<T> packed(plan.packed_size, NAN);
  pack(s, weights.data(), packed.data());
  const std::vector<T> input = ordered(rnn.input, s.input, false);
  // NaN wherever nobody should read before writing.
  std::vector<T> states(s.layers * (s.steps + 1) * s.batch * plan.row_stride, NAN);
  const auto [input_step, input_row] = strides(s.input);
  const T* h_0 = rnn.h_0.empty() ? nullptr : rnn.h_0.data();
  forward(RecurrentForward<T>{s, packed.data(), input.data(), input_step, input_row, h_0,
                              states.data(), s.steps + 1});
  r.states = without_padding(s, states);

  const std::vector<T> grad_output = ordered(rnn.grad_output, s.hidden, false);
  std::vector<T> gradients(plan.gradient_blocks * plan.gradient_size, NAN);
  std::vector<T> scratch(plan.backward_scratch, NAN);
  r.grad_input.assign(input.size(), NAN);
  r.grad_h_0.assign(s.layers * s.batch * s.hidden, NAN);
  RecurrentBackward<T> call{};
  call.shape = s;
  call.weights = weights.data();
  call.input = input.data();
  call.input_step = call.grad_input_step = input_step;
  call.input_row = call.grad_input_row = input_row;
  call.has_h_0 = h_0 != nullptr;
  call.states = states.data();
  call.grad_output = grad_output.data();
  call.grad_count = s.steps;
  std::tie(call.grad_step, call.grad_row) = strides(s.hidden);
  call.grad_h_n = rnn.grad_h_n.data();
  call.grad_input = r.grad_input.data();
  call.grad_h_0 = r.grad_h_0.data();
  call.gradients = gradients.data();
  call.scratch = scratch.data();
  backward(call);
  r.grad_input = ordered(r.grad_input, s.input, true);
  for (std::size_t l = 0; l < s.layers; ++l) {
    const GradientLayout at = gradient_layout(s, l);
    const auto take = [&](std::size_t offset, std::size_t count) {
      r.gradients.insert(r.gradients.end(), &gradients[offset], &gradients[offset] + count);
    };
    for (std::size_t j = 0; j < s.hidden; ++j)
      for (std::size_t i = 0; i < s.input_of(l); ++i)
        take(at.weight_ih + j * at.ih_row + i * at.ih_column, 1);
    take(at.weight_hh, s.hidden * s.hidden);
    if (s.bias) take(at.bias, s.hidden);
  }
  return r;
}

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
  const Results<T> got = drive(rnn);
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
  std::vector<RecurrentWeights<float>> weights;
  for (const auto& w : numbers.layers)
    weights.push_back({w.weight_ih.data(), w.weight_hh.data(), w.bias_ih.data(), w.bias_hh.data()});
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
  std::vector<RecurrentWeights<float>> weights;
  for (const auto& w : numbers.layers)
    weights.push_back({w.weight_ih.data(), w.weight_hh.data(), w.bias_ih.data(), w.bias_hh.data()});
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
