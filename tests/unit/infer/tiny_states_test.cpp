// Silence: states that die away, in streams and whole sequences.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/rows.h"
#include "support/flush_to_zero.h"
#include "support/specs.h"
#include "unroll/infer/model.h"
#include "unroll/infer/stream.h"

namespace unroll::infer {
namespace {

using kernels::kTiny;

/// A model of one unit that multiplies its state by `keep` at each step, and reads out every step.
/// Weights of f64.
template <class T>
Model<T> leaky(double keep, bool bidirectional = false) {
  spec::ModelSpec spec;
  spec.input = spec::SeriesInput{.features = 1};
  spec.layers = {spec::RecurrentSpec{.name = "rnn",
                                     .nonlinearity = Nonlinearity::relu,
                                     .input_size = 1,
                                     .hidden_size = 1,
                                     .bidirectional = bidirectional,
                                     .bias = false,
                                     .readout = spec::Readout::every_step}};
  const double one[] = {1}, kept[] = {keep};
  const auto array = [](std::string name, const double* value) {
    return io::ArrayView{
        std::move(name), io::ElementType::f64, {1, 1}, std::as_bytes(std::span(value, 1))};
  };
  std::vector<io::ArrayView> weights;
  for (const std::string end : {"", "_reverse"}) {
    if (!end.empty() && !bidirectional) continue;
    weights.push_back(array("rnn.weight_ih_l0" + end, one));
    weights.push_back(array("rnn.weight_hh_l0" + end, kept));
  }
  return Model<T>(spec, weights);
}

/// The state after each step, of 1 and then silence, from a stream.
template <class T>
std::vector<T> streamed(const Model<T>& model, std::size_t steps) {
  Stream<T> stream = model.stream();
  std::vector<T> out(steps);
  for (std::size_t t = 0; t < steps; ++t) {
    const T in = t == 0 ? T{1} : T{0};
    stream.step(std::span(&in, 1), std::span(&out[t], 1));
  }
  return out;
}

template <class T>
std::vector<T> whole(const Model<T>& model, std::size_t steps) {
  std::vector<T> in(steps), out(steps * (model.outputs()));
  in[0] = 1;
  model.run(in, 1, steps, std::span<T>(out));
  return out;
}

template <class T>
class Trial23 : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Trial23, Types);

// By arithmetic: n of the smallest subnormal number times 0.999 are n - n / 1000, which rounds to n
// below n = 500, so the state never gets to 0. 500 itself stays in f32, where 0.999 is a little
// more than that, and becomes 499 in f64, where it is a little less.
TYPED_TEST(Trial23, WithoutFlushingStatesStaySubnormalForEver) {
  using T = TypeParam;
  const std::size_t steps = sizeof(T) == 4 ? 110'000 : 800'000;
  const auto states = streamed(leaky<T>(0.999), steps);
  const T stuck = std::numeric_limits<T>::denorm_min() * (sizeof(T) == 4 ? 500 : 499);
  EXPECT_EQ(states.back(), stuck);
  EXPECT_EQ(states[steps - 100], stuck);
  EXPECT_EQ(states, whole(leaky<T>(0.999), steps));
}

TYPED_TEST(Trial23, ACallerWhoFlushesGetsZerosInStreamsAndWholeSequences) {
  using T = TypeParam;
  const std::size_t steps = 2000;
  const Model<T> model = leaky<T>(0.5);  // exact: 2^-t
  const auto plain = streamed(model, steps);
  std::vector<T> flushed, sequence;
  {
    const test::FlushToZero mode;
    flushed = streamed(model, steps);
    sequence = whole(model, steps);
  }
  const std::size_t last = sizeof(T) == 4 ? 96 : 992;  // 2^-96, 2^-992: docs/numerics.md, rule 7
  EXPECT_EQ(flushed, sequence);
  for (std::size_t t = 0; t < steps; ++t) {
    const T expected = t <= last ? std::ldexp(T{1}, -static_cast<int>(t)) : T{0};
    ASSERT_EQ(flushed[t], expected) << t;
    if (t <= last) {
      ASSERT_EQ(flushed[t], plain[t]) << t;
    }
  }
  EXPECT_GT(plain[last + 1], 0);
}

// The mode is the caller's, step by step; nothing of it stays in the stream or in the model.
TYPED_TEST(Trial23, TheModeOfEachCallCounts) {
  using T = TypeParam;
  const Model<T> model = leaky<T>(0.5);
  Stream<T> stream = model.stream();
  const T tiny = kTiny<T> * T(0.75);
  const T zero = 0;
  T out = 0;
  stream.set_state(0, std::span(&tiny, 1));
  stream.step(std::span(&zero, 1), std::span(&out, 1));
  EXPECT_EQ(out, tiny / 2);
  {
    const test::FlushToZero mode;
    stream.step(std::span(&zero, 1), std::span(&out, 1));
    EXPECT_EQ(out, 0);
    // Only states: an output that is small on the way is what it is.
    EXPECT_EQ(stream.h(0)[0], 0);
  }
}

// Both directions, and lengths: every row of every step.
TEST(Trial23Rows, BothDirectionsAndEveryRow) {
  const Model<float> model = leaky<float>(0.5, true);
  const std::size_t steps = 120;
  std::vector<float> in(2 * steps), out(2 * steps * 2);
  in[0] = in[steps - 1] = in[steps] = 1;
  const std::size_t lengths[] = {steps, 110};
  const test::FlushToZero mode;
  model.run(in, 2, steps, std::span<float>(out), lengths);
  for (std::size_t t = 0; t < steps; ++t) {
    const auto power = [&](std::size_t age) {
      return age <= 96 ? std::ldexp(1.0f, -static_cast<int>(age)) : 0.0f;
    };
    const float echo = t == steps - 1 ? 1 : 0;
    EXPECT_EQ(out[2 * t], t == steps - 1 ? echo + 0.0f : power(t)) << t;
    const std::size_t back = steps - 1 - t;
    EXPECT_EQ(out[2 * t + 1], t == 0 ? 1.0f : power(back)) << t;
    EXPECT_EQ(out[2 * (steps + t)], t < 110 ? power(t) : 0.0f) << t;
  }
}

/// Every kind of cell, projected and normalised too: equal bits of streams and whole sequences,
/// with weights so small that states and memories are tiny.
TEST(Trial23Rows, StreamsAreWholeSequencesForEveryCell) {
  using enum spec::Cell;
  std::vector<spec::RecurrentSpec> layers;
  for (const spec::Cell cell : {rnn, lstm, gru}) {
    layers.push_back({.cell = cell, .nonlinearity = Nonlinearity::tanh});
    layers.push_back({.cell = cell, .num_layers = 2, .zoneout_h = 0.25});
    layers.push_back({.cell = cell, .hidden_size = 200});  // large: steps are shared by threads
  }
  layers.push_back({.cell = lstm, .proj_size = 3});
  for (spec::RecurrentSpec r : layers) {
    r.name = "rnn";
    r.input_size = 2;
    if (r.hidden_size == 0) r.hidden_size = 5;
    r.bias = false;
    r.readout = spec::Readout::every_step;
    spec::ModelSpec spec;
    spec.input = spec::SeriesInput{.features = 2};
    spec.layers = {r};
    std::vector<std::vector<float>> values;
    std::vector<io::ArrayView> weights;
    const auto needed = spec::weights_of(spec);
    values.reserve(needed.size());
    for (const auto& [name, sizes] : needed) {
      auto& v = values.emplace_back(static_cast<std::size_t>(sizes[0] * sizes[1]));
      for (std::size_t i = 0; i < v.size(); ++i)
        v[i] = 0.01f * static_cast<float>(static_cast<int>(i % 7) - 3);
      weights.push_back({name, io::ElementType::f32, sizes, std::as_bytes(std::span(v))});
    }
    const Model<float> model(spec, weights);
    const std::size_t steps = 40, outputs = model.outputs();
    std::vector<float> in(2 * steps), out(steps * outputs), step(outputs);
    for (std::size_t t = 0; t < steps; ++t)
      in[2 * t] = std::ldexp(1.0f, -20 - 4 * static_cast<int>(t));
    const test::FlushToZero mode;
    model.run(in, 1, steps, std::span<float>(out));
    Stream<float> stream = model.stream();
    for (std::size_t t = 0; t < steps; ++t) {
      stream.step(std::span<const float>(in).subspan(2 * t, 2), step);
      for (std::size_t j = 0; j < outputs; ++j) {
        EXPECT_EQ(out[t * outputs + j], step[j]) << t << ' ' << j;
        EXPECT_TRUE(step[j] == 0 || !(std::abs(step[j]) < kTiny<float>)) << step[j];
      }
      for (std::size_t l = 0; l < stream.layers(); ++l)
        for (const float c : stream.c(l)) EXPECT_TRUE(c == 0 || !(std::abs(c) < kTiny<float>)) << c;
    }
  }
}

}  // namespace
}  // namespace unroll::infer
