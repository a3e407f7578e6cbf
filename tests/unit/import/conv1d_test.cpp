// Imports of PyTorch's nn.Conv1d.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "import/import_model.h"
#include "unit/import/states.h"

namespace unroll::importer {
namespace {

using Tensors = std::vector<std::pair<std::string, Shape>>;

/// nn.Conv1d(6, 8, 5, groups=2), nn.GRU(8, 4) and nn.Linear(4, 3).
const Tensors kNetwork = {{"conv.weight", {8, 3, 5}},    {"conv.bias", {8}},
                          {"gru.weight_ih_l0", {12, 8}}, {"gru.weight_hh_l0", {12, 4}},
                          {"gru.bias_ih_l0", {12}},      {"gru.bias_hh_l0", {12}},
                          {"fc.weight", {3, 4}},         {"fc.bias", {3}}};

/// An architecture of kNetwork with these keys of its convolution.
std::string with_keys(const std::string& keys) {
  return R"({"layers": [{"type": "conv1d", "name": "conv")" + keys +
         R"(}, {"type": "activation", "function": "relu"},
            {"type": "gru", "name": "gru", "readout": "last"}, {"type": "linear", "name": "fc"}]})";
}

TEST(ImportConv1d, SizesComeFromTheWeight) {
  const ImportedModel model = import_model(
      state_of(kNetwork), with_keys(R"(, "stride": 2, "padding": 4, "dilation": 2, "groups": 2)"));
  EXPECT_EQ(model.spec.input, spec::InputSpec(spec::SeriesInput{.features = 6}));
  EXPECT_EQ(model.spec.layers[0],
            spec::LayerSpec(
                spec::Conv1dSpec{.name = "conv",
                                 .in_channels = 6,
                                 .out_channels = 8,
                                 .windows = {.kernel = 5, .stride = 2, .padding = 4, .dilation = 2},
                                 .groups = 2}));
  EXPECT_EQ(model.weights[0].name, "conv.weight");
  EXPECT_EQ(model.weights[0].shape, (Shape{8, 3, 5}));
  Tensors without = kNetwork;
  without.erase(without.begin() + 1);
  const ImportedModel causal = import_model(
      state_of(without), with_keys(R"(, "stride": 1, "causal": true, "dilation": 1, "groups": 1)"));
  EXPECT_EQ(causal.spec.layers[0],
            spec::LayerSpec(spec::Conv1dSpec{.name = "conv",
                                             .in_channels = 3,
                                             .out_channels = 8,
                                             .windows = {.kernel = 5, .causal = true},
                                             .bias = false}));
}

TEST(ImportConv1d, WhatTheWeightDoesNotTellIsAsked) {
  EXPECT_EQ(
      question(state_of(kNetwork), with_keys("")),
      R"([import] the weights do not say the stride of conv (add "stride": "1 | another number"), )"
      R"(the padding of conv (add "padding": "0 | another number": zeros at each end; for zeros at )"
      R"(the start only, which make it causal, "causal": true), )"
      R"(the dilation of conv (add "dilation": "1 | another number"), )"
      R"(the groups of conv (add "groups": "1 | another number"))"
      R"(
{
  "layers": [
    {"type": "conv1d", "name": "conv", "stride": "1 | another number", "padding": "0 | another number", "dilation": "1 | another number", "groups": "1 | another number"},
    {"type": "activation", "function": "relu"},
    {"type": "gru", "name": "gru", "readout": "last"},
    {"type": "linear", "name": "fc"}
  ]
}
)");
  expect_parts(refusal(state_of(kNetwork), with_keys(R"(, "stride": "1 | another number")")),
               {R"("stride" is "1 | another number", expected a number)"});
}

TEST(ImportConv1d, IsProposedInTheOrderInWhichItFits) {
  // Two with groups, then one layer that they both fit in front of; and sorted by name.
  const Tensors two = {{"up.weight", {6, 1, 3}},      {"down.weight", {4, 3, 3}},
                       {"gru.weight_ih_l0", {12, 4}}, {"gru.weight_hh_l0", {12, 4}},
                       {"fc.weight", {3, 4}},         {"fc.bias", {3}}};
  const std::string text = question(state_of(two));
  expect_parts(text,
               {"the order of the layers is a guess: the order in the file",
                "add the layers without weights: activations", R"({"type": "conv1d", "name": "up")",
                R"({"type": "conv1d", "name": "down")"});
  EXPECT_LT(text.find(R"("name": "up")"), text.find(R"("name": "down")"));
  EXPECT_LT(text.find(R"("name": "down")"), text.find(R"("name": "gru")"));
  // A .safetensors: names are sorted, and "conv" comes after "bigru".
  const Tensors sorted = {{"bigru.weight_hh_l0", {12, 4}},
                          {"bigru.weight_ih_l0", {12, 5}},
                          {"conv.bias", {5}},
                          {"conv.weight", {5, 3, 7}},
                          {"fc.weight", {2, 4}}};
  const std::string found = question(state_of(sorted));
  EXPECT_LT(found.find(R"("name": "conv")"), found.find(R"("name": "bigru")")) << found;
}

TEST(ImportConv1d, ARecurrentLayerBelowItGivesEveryStep) {
  const Tensors tensors = {
      {"rnn.weight_ih_l0", {4, 3}}, {"rnn.weight_hh_l0", {4, 4}}, {"conv.weight", {2, 4, 3}}};
  const ImportedModel model = import_model(
      state_of(tensors), R"({"layers": [{"type": "rnn", "name": "rnn", "nonlinearity": "tanh"},
        {"type": "conv1d", "name": "conv", "stride": 1, "padding": 1, "dilation": 1, "groups": 1}]})");
  EXPECT_EQ(std::get<spec::RecurrentSpec>(model.spec.layers[0]).readout, spec::Readout::every_step);
}

TEST(ImportConv1d, WhatDoesNotFitIsNamed) {
  const std::string all = R"(, "stride": 1, "padding": 0, "dilation": 1, "groups": )";
  expect_parts(refusal(state_of(kNetwork), with_keys(all + "3")),
               {"9 channels in and 8 out, expected multiples of the 3 groups"});
  expect_parts(refusal(state_of(kNetwork), with_keys(all + "0")), {"groups", "0"});
  expect_parts(refusal(state_of(kNetwork), with_keys(all + "9223372036854775807")), {"groups"});
  expect_parts(refusal(state_of(kNetwork), with_keys(all + R"(2, "causal": true, "padding": 4)")),
               {"padding"});
  expect_parts(refusal(state_of(kNetwork), with_keys(all + R"(2, "kernel": 3)")),
               {"conv.weight", "[8, 3, 5]", "[8, 3, 3]"});
  Tensors image = kNetwork;
  image[0].second = {8, 3, 5, 5};
  expect_parts(refusal(state_of(image), with_keys(all + "1")),
               {"conv.weight has shape [8, 3, 5, 5], expected [out, in / groups, kernel]"});
}

}  // namespace
}  // namespace unroll::importer
