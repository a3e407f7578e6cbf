// Convolutions over steps in descriptions.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "support/expect_error.h"
#include "unroll/core/error.h"
#include "unroll/spec/model_spec.h"

namespace unroll::spec {
namespace {

using test::error_of;

Conv1dSpec conv_of(const StepWindows& windows) {
  return {.name = "conv", .in_channels = 4, .out_channels = 6, .windows = windows, .groups = 2};
}

/// A model with this convolution in front of a recurrent layer.
ModelSpec model_of(Conv1dSpec conv, Readout readout = Readout::last, std::int64_t steps = 0) {
  ModelSpec spec;
  spec.input = SeriesInput{.features = 4, .steps = steps};
  const std::int64_t channels = conv.out_channels;
  spec.layers = {
      std::move(conv),
      RecurrentSpec{.name = "rnn", .input_size = channels, .hidden_size = 5, .readout = readout}};
  return spec;
}

std::string fault_of(const ModelSpec& spec) {
  return error_of<FormatError>([&] { features_of(spec); });
}

// floor((T + 2 padding - dilation (kernel - 1) - 1) / stride + 1), as PyTorch's page of Conv1d
// says.
TEST(StepWindows, CountOutputsAsPyTorchDoes) {
  const StepWindows w{.kernel = 3, .stride = 2, .padding = 1, .dilation = 2};
  EXPECT_EQ(w.outputs(10), 4);
  EXPECT_EQ(w.outputs(3), 1);
  EXPECT_EQ(w.outputs(2), 0);
  EXPECT_EQ(w.shortest(), 3);
  EXPECT_EQ(w.shortest(4), 9);
  EXPECT_EQ(w.outputs(9), 4);
  EXPECT_FALSE(w.keeps_steps());
  EXPECT_TRUE((StepWindows{.kernel = 5, .padding = 2}.keeps_steps()));
  EXPECT_TRUE((StepWindows{.kernel = 5, .dilation = 3, .causal = true}.keeps_steps()));
  const StepWindows wide{.kernel = 1, .padding = 2};
  EXPECT_EQ(wide.shortest(), 1);
  EXPECT_EQ(wide.outputs(1), 5);
}

TEST(Conv1dSpec, HasPyTorchsWeights) {
  const auto weights = weights_of(model_of(conv_of({.kernel = 3})));
  EXPECT_EQ(weights[0], (std::pair<std::string, Sizes>{"conv.weight", {6, 2, 3}}));
  EXPECT_EQ(weights[1], (std::pair<std::string, Sizes>{"conv.bias", {6}}));
}

TEST(Conv1dSpec, IsWrittenAndReadInFormat5) {
  const ModelSpec spec =
      model_of(conv_of({.kernel = 3, .stride = 2, .dilation = 4, .causal = true}));
  const auto json = nlohmann::json::parse(to_json(spec));
  EXPECT_EQ(json["version"], 5);
  EXPECT_EQ(json["layers"][0], nlohmann::json::parse(R"({
    "type": "conv1d", "name": "conv", "in_channels": 4, "out_channels": 6, "kernel": 3,
    "stride": 2, "padding": 0, "dilation": 4, "causal": true, "groups": 2, "bias": true})"));
  EXPECT_EQ(from_json(to_json(spec)), spec);
  ModelSpec logarithm = spec;
  logarithm.layers[0] = ActivationSpec{Activation::symlog};
  std::get<RecurrentSpec>(logarithm.layers[1]).input_size = 4;
  EXPECT_EQ(nlohmann::json::parse(to_json(logarithm))["version"], 5);
  EXPECT_EQ(from_json(to_json(logarithm)), logarithm);
}

TEST(Conv1dSpec, NumbersOutsideTheirRangeAreRefused) {
  const auto with = [](const StepWindows& windows) { return fault_of(model_of(conv_of(windows))); };
  EXPECT_EQ(with({.kernel = 0}), "[model] conv: kernel is 0, expected 1 to 4096");
  EXPECT_EQ(with({.stride = 5000}), "[model] conv: stride is 5000, expected 1 to 4096");
  EXPECT_EQ(with({.dilation = 0}), "[model] conv: dilation is 0, expected 1 to 4096");
  EXPECT_EQ(with({.padding = -1}), "[model] conv: padding is -1, expected 0 to 4096");
  EXPECT_EQ(with({.padding = 1, .causal = true}), "[model] conv: padding is 1, expected 0 to 0");
  Conv1dSpec conv = conv_of({});
  conv.groups = 3;
  EXPECT_EQ(fault_of(model_of(conv)),
            "[model] conv: 4 channels in and 6 out, expected multiples of the 3 groups");
  conv = conv_of({.kernel = 4096, .dilation = 4096});
  conv.in_channels = 64;
  EXPECT_EQ(fault_of(model_of(conv)),
            "[model] conv: windows over 16773121 steps of 64 channels, expected at most 134217728 "
            "numbers");
  conv = conv_of({});
  conv.in_channels = 2;
  EXPECT_EQ(fault_of(model_of(conv)),
            "[model] conv: reads a sequence of 2 features per step, but its input is a sequence of "
            "4 features per step");
}

// Targets and outputs of every step stand at the same steps.
TEST(Conv1dSpec, AModelOfEveryStepKeepsTheSteps) {
  const auto every_step = [](const StepWindows& windows) {
    return model_of(conv_of(windows), Readout::every_step);
  };
  features_of(every_step({.kernel = 3, .dilation = 2, .causal = true}));
  features_of(every_step({.kernel = 5, .padding = 2}));
  for (const StepWindows& windows :
       {StepWindows{.kernel = 3}, StepWindows{.stride = 2}, StepWindows{.padding = 1}})
    EXPECT_EQ(fault_of(every_step(windows)),
              "[model] conv: it changes the number of steps, but the model has an output for every "
              "step; use stride 1 and a padding that keeps it, or causal");
}

TEST(Conv1dSpec, AResidualConnectionKeepsTheSteps) {
  ModelSpec spec = model_of(conv_of({.kernel = 3, .causal = true}));
  auto& conv = std::get<Conv1dSpec>(spec.layers[0]);
  conv.out_channels = 4;
  std::get<RecurrentSpec>(spec.layers[1]).input_size = 4;
  spec.layers.insert(spec.layers.begin() + 1, ResidualSpec{1});
  features_of(spec);
  std::get<Conv1dSpec>(spec.layers[0]).windows.stride = 2;
  EXPECT_EQ(fault_of(spec),
            "[model] layer 2: a residual connection over conv, which changes the number of steps; "
            "use stride 1 and a padding that keeps it, or causal");
}

TEST(Conv1dSpec, KnowsTheShortestSequence) {
  EXPECT_EQ(shortest_sequence(model_of(conv_of({.kernel = 3, .causal = true}))), 1);
  ModelSpec spec = model_of(conv_of({.kernel = 3, .stride = 2}));
  EXPECT_EQ(shortest_sequence(spec), 3);
  // Four outputs of the first for one of the second: 3 + 3 2.
  spec.layers.insert(
      spec.layers.begin() + 1,
      Conv1dSpec{.name = "second", .in_channels = 6, .out_channels = 6, .windows = {.kernel = 4}});
  EXPECT_EQ(shortest_sequence(spec), 9);
  std::get<SeriesInput>(spec.input).steps = 9;
  features_of(spec);
  std::get<SeriesInput>(spec.input).steps = 8;
  EXPECT_EQ(fault_of(spec), "[model] second: its input has 3 steps, expected at least 4");
}

/// Seven strides of 4096 are 2^84 steps: more than 64 bits have.
TEST(Conv1dSpec, NeedsNoMoreStepsThanThereCanBe) {
  ModelSpec spec = model_of(conv_of({.kernel = 1, .stride = 4096}));
  const auto add = [&](std::ptrdiff_t at, const StepWindows& windows) {
    spec.layers.insert(spec.layers.begin() + at,
                       Conv1dSpec{.name = "conv" + std::to_string(spec.layers.size()),
                                  .in_channels = 6,
                                  .out_channels = 6,
                                  .windows = windows});
  };
  add(1, {.kernel = 2});
  for (int i = 0; i < 2; ++i) add(1, {.kernel = 1, .stride = 4096});
  features_of(spec);
  EXPECT_EQ(shortest_sequence(spec), (std::int64_t{1} << 36) + 1);
  for (int i = 0; i < 4; ++i) add(1, {.kernel = 1, .stride = 4096});
  EXPECT_NE(fault_of(spec).find("steps, expected at most 1099511627776"), std::string::npos);
}

TEST(Conv1dSpec, ReadsAheadIfItIsPaddedAtItsEnd) {
  EXPECT_EQ(reads_ahead(model_of(conv_of({.kernel = 3, .causal = true}))), "");
  EXPECT_EQ(reads_ahead(model_of(conv_of({.kernel = 3}))), "");
  EXPECT_EQ(reads_ahead(model_of(conv_of({.kernel = 3, .padding = 1}))),
            "conv is padded at its end");
}

}  // namespace
}  // namespace unroll::spec
