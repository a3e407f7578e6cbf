#include "export/onnx.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "support/expect_error.h"
#include "support/program.h"
#include "unit/export/onnx_file.h"
#include "unit/export/weights.h"
#include "unit/infer/models.h"
#include "unroll/core/error.h"

namespace unroll::exporter {
namespace {

using test::OnnxFile;
using test::OnnxNode;

OnnxFile file_of(const spec::ModelSpec& spec, const OnnxOptions& options = {}) {
  return OnnxFile(onnx(spec, test::CountedWeights(spec).views(), options).bytes);
}

spec::ModelSpec one_unit(spec::Cell cell) {
  return test::recurrent_spec({.cell = cell, .input_size = 1, .hidden_size = 1}, 1);
}

const OnnxNode& node_of(const OnnxFile& file, const std::string& op) {
  const auto found = std::ranges::find(file.nodes, op, &OnnxNode::op);
  if (found == file.nodes.end()) throw std::runtime_error("no node " + op);
  return *found;
}

bool can_say(const spec::ModelSpec& spec) {
  for (const auto& layer : spec.layers)
    if (const auto* r = std::get_if<spec::RecurrentSpec>(&layer))
      if (r->proj_size > 0 || r->layer_norm || r->zoneout_h > 0 || r->zoneout_c > 0) return false;
  return true;
}

/// Checks ONNX's rules for graphs. Each name is defined once, and before its use. Values without a
/// node are inputs or constants. Outputs come from nodes.
void expect_sound(const OnnxFile& file) {
  std::set<std::string> known = {""};
  for (const auto& [name, tensor] : file.constants) known.insert(name);
  for (const auto& [name, sizes] : file.inputs) known.insert(name);
  for (const OnnxNode& node : file.nodes) {
    for (const std::string& in : node.inputs)
      EXPECT_TRUE(known.contains(in)) << node.op << " of " << in;
    for (const std::string& out : node.outputs)
      EXPECT_TRUE(out.empty() || known.insert(out).second) << node.op << " makes another " << out;
  }
  for (const auto& [name, sizes] : file.outputs) EXPECT_TRUE(known.contains(name)) << name;
}

TEST(Onnx, EveryModelMakesASoundGraphOrIsRefused) {
  std::vector<infer::Named> all = infer::recurrent_models();
  for (const auto& image : infer::image_models()) all.push_back(image);
  int made = 0;
  for (const auto& [name, spec] : all) {
    SCOPED_TRACE(name);
    if (!can_say(spec)) {
      EXPECT_THROW(file_of(spec), ValueError);
      continue;
    }
    expect_sound(file_of(spec));
    ++made;
    if (!spec::is_sequence(spec.input)) continue;
    expect_sound(file_of(spec, {.lengths = true}));
    const bool strides = std::ranges::any_of(spec.layers, [](const spec::LayerSpec& layer) {
      const auto* c = std::get_if<spec::Conv1dSpec>(&layer);
      return c && !c->windows.keeps_steps();
    });
    if (strides || infer::is_bidirectional(spec))
      EXPECT_THROW(file_of(spec, {.streaming = true}), ValueError);
    else
      expect_sound(file_of(spec, {.streaming = true}));
  }
  EXPECT_GE(made, 12);
}

// onnx.ai: LSTM's W is W[iofc], GRU's W[zrh]; PyTorch's are i f g o (g being ONNX's c) and r z n.
TEST(Onnx, GatesAreInOnnxOrder) {
  const OnnxFile lstm = file_of(one_unit(spec::Cell::lstm));
  EXPECT_EQ(lstm.constants.at("rnn.W_l0").floats(), (std::vector<float>{1, 4, 2, 3}));
  EXPECT_EQ(lstm.constants.at("rnn.R_l0").floats(), (std::vector<float>{1, 4, 2, 3}));
  EXPECT_EQ(lstm.constants.at("rnn.B_l0").floats(), (std::vector<float>{1, 4, 2, 3, 1, 4, 2, 3}));
  const OnnxFile gru = file_of(one_unit(spec::Cell::gru));
  EXPECT_EQ(gru.constants.at("rnn.W_l0").floats(), (std::vector<float>{2, 1, 3}));
  EXPECT_EQ(gru.constants.at("rnn.B_l0").floats(), (std::vector<float>{2, 1, 3, 2, 1, 3}));
}

// W (D, G H, I), R (D, G H, H), B (D, 2 G H); initial states (D, N, H).
TEST(Onnx, ShapesAreThoseOfTheOperators) {
  const OnnxFile file = file_of(test::recurrent_spec({.cell = spec::Cell::lstm,
                                                      .input_size = 5,
                                                      .hidden_size = 7,
                                                      .num_layers = 2,
                                                      .bidirectional = true},
                                                     3));
  using Sizes = std::vector<std::int64_t>;
  EXPECT_EQ(file.constants.at("rnn.W_l0").shape, (Sizes{2, 28, 5}));
  EXPECT_EQ(file.constants.at("rnn.W_l1").shape, (Sizes{2, 28, 14}));
  EXPECT_EQ(file.constants.at("rnn.R_l1").shape, (Sizes{2, 28, 7}));
  EXPECT_EQ(file.constants.at("rnn.B_l1").shape, (Sizes{2, 56}));
  EXPECT_EQ(file.constants.at("rnn.h_0").shape, (Sizes{4, 1, 7}));
  using Names = std::vector<std::string>;
  EXPECT_EQ(file.inputs.at("input"), (Names{"batch", "time", "5"}));
  EXPECT_EQ(file.inputs.at("rnn.c_0"), (Names{"4", "rnn.c_0_batch", "7"}));
  EXPECT_EQ(file.outputs.at("rnn.c_n"), (Names{"4", "batch", "7"}));
  EXPECT_EQ(file.outputs.at("output"), (Names{"batch", "3"}));
}

TEST(Onnx, AttributesAreThoseOfPyTorchsCells) {
  const OnnxFile gru = file_of(one_unit(spec::Cell::gru));
  EXPECT_EQ(node_of(gru, "GRU").integers.at("linear_before_reset"), std::vector<std::int64_t>{1});
  EXPECT_EQ(node_of(gru, "GRU").integers.at("hidden_size"), std::vector<std::int64_t>{1});
  const OnnxFile relu = file_of(test::recurrent_spec({.nonlinearity = Nonlinearity::relu,
                                                      .input_size = 1,
                                                      .hidden_size = 1,
                                                      .bidirectional = true},
                                                     1));
  const OnnxNode& rnn = node_of(relu, "RNN");
  EXPECT_EQ(rnn.strings.at("activations"), (std::vector<std::string>{"Relu", "Relu"}));
  EXPECT_EQ(rnn.strings.at("direction"), std::vector<std::string>{"bidirectional"});
  EXPECT_EQ(rnn.inputs[4], "");  // sequence_lens
}

TEST(Onnx, PixelsAreScaledOnlyWhereTheInputIsPixels) {
  spec::ModelSpec spec = one_unit(spec::Cell::rnn);
  spec.input = spec::ImageInput{.width = 1, .mean = 0.5, .std = 0.25};
  EXPECT_EQ(file_of(spec).constants.at("pixel_range").floats(), std::vector<float>{255});
  EXPECT_EQ(file_of(spec).constants.at("pixel_mean").floats(), std::vector<float>{0.5});
  EXPECT_EQ(file_of(spec).constants.at("pixel_std").floats(), std::vector<float>{0.25});
  EXPECT_FALSE(file_of(spec, {.scaling = false}).constants.contains("pixel_range"));
  spec.input = spec::SeriesInput{.features = 1};
  EXPECT_FALSE(file_of(spec).constants.contains("pixel_range"));
  // Descriptions by an older program: of a task, and of a regression.
  const std::string adding =
      test::content_of(UNROLL_SOURCE_DIR "/tests/unit/spec/descriptions/format_2_adding.json");
  EXPECT_FALSE(file_of(spec::from_json(adding)).constants.contains("pixel_range"));
  std::string regression = adding;
  regression.replace(regression.find("\"adding\""), 8, "\"mine\"");
  EXPECT_FALSE(file_of(spec::from_json(regression)).constants.contains("pixel_range"));
}

// (x - mean) / std of each feature before the first layer, which reads its result.
TEST(Onnx, FeaturesAreScaledInTheGraph) {
  spec::ModelSpec spec = test::rnn_spec(2, 3, 1);
  spec.input = spec::SeriesInput{.features = 2, .mean = {0.5, -1}, .std = {2, 0.25}};
  for (const bool scaling : {true, false}) {
    const OnnxFile file = file_of(spec, {.scaling = scaling});
    expect_sound(file);
    EXPECT_EQ(file.constants.at("layer_1_mean").floats(), (std::vector<float>{0.5, -1}));
    EXPECT_EQ(file.constants.at("layer_1_std").floats(), (std::vector<float>{2, 0.25}));
    EXPECT_EQ(node_of(file, "RNN").inputs[0], node_of(file, "Div").outputs[0]);
    EXPECT_EQ(node_of(file, "Div").inputs[0], node_of(file, "Sub").outputs[0]);
    EXPECT_EQ(spec::from_json(file.metadata.at("unroll")), spec);
  }
}

TEST(Onnx, TheDescriptionGoesWithIt) {
  const spec::ModelSpec spec = one_unit(spec::Cell::lstm);
  EXPECT_EQ(spec::from_json(file_of(spec).metadata.at("unroll")), spec);
}

TEST(Onnx, NamesOfLayersCanNotMeetOthers) {
  spec::ModelSpec spec = one_unit(spec::Cell::gru);
  std::get<spec::RecurrentSpec>(spec.layers[0]).name = "input";
  std::get<spec::LinearSpec>(spec.layers[1]).name = "input.h_0";
  expect_sound(file_of(spec));
}

TEST(Onnx, WhatItCanNotSayIsRefusedByName) {
  const auto refusal = [](spec::RecurrentSpec r) {
    r.name = "upper";
    r.input_size = 2;
    r.hidden_size = 3;
    const spec::ModelSpec spec = test::recurrent_spec(r, 1);
    return test::error_of<ValueError>([&] { file_of(spec); });
  };
  const std::string projected = refusal({.cell = spec::Cell::lstm, .proj_size = 2});
  EXPECT_EQ(
      projected,
      "[export] \"upper\": ONNX has no LSTM with a projection (proj_size 2); --format npz writes "
      "the weights and the description of any model");
  EXPECT_NE(refusal({.layer_norm = true}).find("RNN with layer normalisation"), std::string::npos);
  EXPECT_NE(refusal({.cell = spec::Cell::gru, .zoneout_h = 0.25}).find("GRU with zoneout"),
            std::string::npos);
}

// Refused before any weight is read.
TEST(Onnx, WeightsThatNoFileCanHoldAreRefused) {
  const spec::ModelSpec spec = test::recurrent_spec(
      {.cell = spec::Cell::lstm, .input_size = 1 << 24, .hidden_size = 1 << 24, .num_layers = 1000},
      10);
  EXPECT_NE(test::error_of<ValueError>([&] { onnx(spec, {}); }).find("2 GB"), std::string::npos);
}

}  // namespace
}  // namespace unroll::exporter
