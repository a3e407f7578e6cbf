// Convolutions over steps in whole sequences and streams. tests/unit/infer/models.h has more
// models.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "support/expect_error.h"
#include "support/tensors.h"
#include "support/trained.h"
#include "unroll/core/error.h"
#include "unroll/infer/model.h"
#include "unroll/infer/stream.h"

namespace unroll::infer {
namespace {

using test::Both;
using test::error_of;
using Lengths = std::vector<std::size_t>;

/// Reads series of 2 features; has one output, after each step with every_step.
spec::ModelSpec convolution_spec(const StepWindows& windows, spec::Readout readout) {
  spec::ModelSpec spec;
  spec.input = spec::SeriesInput{.features = 2};
  const spec::RecurrentSpec r{.name = "gru",
                              .cell = spec::Cell::gru,
                              .input_size = 4,
                              .hidden_size = 5,
                              .readout = readout};
  spec.layers = {spec::Conv1dSpec{"conv", 2, 4, windows}, r,
                 spec::LinearSpec{"fc", r.features(), 1}};
  return spec;
}

std::vector<float> some_numbers(std::int64_t count) {
  const Tensor numbers = test::random_tensor({count}, DType::f32, 3);
  const auto values = numbers.values<float>();
  return {values.begin(), values.end()};
}

// Without padding the first outputs come late, and then at every second step.
TEST(StepConvolution, AStreamWaitsForTheFirstWindow) {
  const Both<float> both(
      convolution_spec({.kernel = 3, .stride = 2, .dilation = 2}, spec::Readout::mean_last));
  const std::vector<float> in = some_numbers(2 * 12);
  Stream<float> stream = both.model.stream();
  std::vector<float> first(1), out(1), before(1);
  stream.outputs(first);
  for (std::size_t t = 0; t < 12; ++t) {
    stream.outputs(before);
    stream.step(std::span(in).subspan(2 * t, 2), out);
    EXPECT_EQ(out, t < 4 ? first : both.run(std::span(in).first(2 * t + 2), 1, t + 1)) << t;
    if (t % 2 == 1) {
      EXPECT_EQ(out, before) << t;
    }
  }
}

// Sequences that begin at other steps have other steps between windows.
TEST(StepConvolution, ASequenceOfAStreamBeginsAnew) {
  const Both<float> both(
      convolution_spec({.kernel = 4, .stride = 3, .causal = true}, spec::Readout::max));
  const std::vector<float> in = some_numbers(2 * 2 * 11);
  Stream<float> stream = both.model.stream(2);
  std::vector<float> begun(2 * 4);
  stream.process(std::span(in).first(2 * 2 * 4), begun, 4);
  stream.reset(1);
  std::vector<float> out(2), alone(1);
  Stream<float> second = both.model.stream();
  for (std::size_t t = 4; t < 11; ++t) {
    const auto step = std::span(in).subspan(4 * t, 4);
    stream.step(step, out);
    second.step(step.subspan(2), alone);
    EXPECT_EQ(out[1], alone[0]) << t;
    std::vector<float> whole;
    for (std::size_t s = 0; s <= t; ++s) whole.insert(whole.end(), {in[4 * s], in[4 * s + 1]});
    EXPECT_EQ(out[0], both.run(whole, 1, t + 1)[0]) << t;
  }
}

// A copy goes on from the same windows, and neither changes the other.
TEST(StepConvolution, ACopyOfAStreamHasItsWindows) {
  const Both<float> both(
      convolution_spec({.kernel = 5, .causal = true}, spec::Readout::every_step));
  const std::vector<float> in = some_numbers(2 * 9);
  Stream<float> stream = both.model.stream();
  std::vector<float> out(9);
  stream.process(std::span(in).first(2 * 4), std::span(out).first(4), 4);
  Stream<float> copy = stream;
  copy.step(std::vector<float>{7, -7});
  stream.process(std::span(in).subspan(2 * 4), std::span(out).subspan(4), 5);
  EXPECT_EQ(out, both.run(in, 1, 9));
}

TEST(StepConvolution, TheResultDoesNotDependOnOtherSequences) {
  const Both<float> both(
      convolution_spec({.kernel = 5, .stride = 2, .padding = 4}, spec::Readout::mean));
  const std::vector<float> in = some_numbers(2 * 3 * 8);
  const std::vector<float> together = both.run(in, 3, 8, Lengths{8, 1, 5});
  EXPECT_EQ(together[1], both.run(std::span(in).subspan(16, 2), 1, 1)[0]);
  EXPECT_EQ(together[2], both.run(std::span(in).subspan(32, 10), 1, 5)[0]);
}

TEST(StepConvolution, WhatIsTooShortIsRefused) {
  const Both<float> both(convolution_spec({.kernel = 3, .dilation = 2}, spec::Readout::last));
  EXPECT_EQ(error_of<ShapeError>([&] { both.run(std::vector<float>(2 * 4), 1, 4); }),
            "[infer] sequence 0 has 4 steps, expected at least 5: the model's convolutions need as "
            "many");
  EXPECT_EQ(error_of<ShapeError>([&] {
              both.run(std::vector<float>(2 * 2 * 6), 2, 6, Lengths{6, 1});
            }),
            "[infer] sequence 1 has 1 step, expected at least 5: the model's convolutions need as "
            "many");
}

TEST(StepConvolution, AModelThatReadsAheadDoesNotStream) {
  const Both<float> both(convolution_spec({.kernel = 3, .padding = 1}, spec::Readout::every_step));
  EXPECT_EQ(error_of<ValueError>([&] { both.model.stream(); }),
            "[stream] conv is padded at its end, so the output at a step depends on later steps; "
            "run the model on whole sequences");
}

}  // namespace
}  // namespace unroll::infer
