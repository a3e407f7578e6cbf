// Reading models off bare state_dicts.
#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "support/specs.h"
#include "unroll/core/error.h"

namespace unroll::spec {
namespace {

using test::error_of;
using Weights = std::map<std::string, Sizes>;

void refused(const Weights& weights, const std::vector<std::string>& parts) {
  const std::string text = error_of<FormatError>([&] { from_weights(weights, {}); });
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
}

// nn.RNN(28, 100, layers) called "rnn", or nn.GRU or nn.LSTM by their gates, and
// nn.Linear(100, 10) called "fc": the chapters' models.
Weights chapters_weights(int layers, std::int64_t gates = 1) {
  Weights weights = {{"fc.weight", {10, 100}}, {"fc.bias", {10}}};
  for (int l = 0; l < layers; ++l) {
    const std::string end = "_l" + std::to_string(l);
    weights["rnn.weight_ih" + end] = {gates * 100, l == 0 ? 28 : 100};
    weights["rnn.weight_hh" + end] = {gates * 100, 100};
    weights["rnn.bias_ih" + end] = {gates * 100};
    weights["rnn.bias_hh" + end] = {gates * 100};
  }
  return weights;
}

TEST(FromWeights, ReadsTheChaptersModels) {
  for (const int layers : {1, 2})
    for (const std::int64_t gates : {1, 3, 4}) {
      const ModelSpec got =
          from_weights(chapters_weights(layers, gates),
                       {.activation = Activation::tanh, .pixels = true, .mean = 0.5, .std = 2});
      ModelSpec expected = test::recurrent_spec(
          {.cell = gates == 1   ? Cell::rnn
                   : gates == 3 ? Cell::gru
                                : Cell::lstm,
           .nonlinearity = gates == 1 ? Nonlinearity::tanh : Nonlinearity::relu,
           .input_size = 28,
           .hidden_size = 100,
           .num_layers = layers},
          10);
      expected.input = ImageInput{.width = 28, .mean = 0.5, .std = 2};
      EXPECT_EQ(got, expected);
      EXPECT_EQ(has_activation(got), gates == 1);
    }
}

TEST(Trial02, WeightsAloneStateNoInputSoNumbersAreReadAsTheyAre) {
  EXPECT_EQ(from_weights(chapters_weights(1), {}).input, InputSpec(SeriesInput{.features = 28}));
  EXPECT_EQ(from_weights(chapters_weights(1), {.pixels = true}).input,
            InputSpec(ImageInput{.width = 28}));
}

TEST(FromWeights, TakesNamesAndBiasesAsTheyAre) {
  const ModelSpec spec = from_weights({{"net.encoder.weight_ih_l0", {7, 3}},
                                       {"net.encoder.weight_hh_l0", {7, 7}},
                                       {"net.head.weight", {2, 7}},
                                       {"net.head.bias", {2}}},
                                      {});
  ModelSpec expected = test::rnn_spec(3, 7, 2, 1, Nonlinearity::relu, false);
  std::get<RecurrentSpec>(expected.layers[0]).name = "net.encoder";
  std::get<LinearSpec>(expected.layers[1]).name = "net.head";
  expected.input = SeriesInput{.features = 3};
  EXPECT_EQ(spec, expected);
}

// What weights_of says of a model, read back.
TEST(FromWeights, ReadsWhatThereIsToRead) {
  RecurrentSpec r{.name = "encoder",
                  .cell = Cell::lstm,
                  .input_size = 5,
                  .hidden_size = 8,
                  .num_layers = 2,
                  .proj_size = 3,
                  .bidirectional = true,
                  .layer_norm = true,
                  .learn_initial_state = true};
  const auto read_back = [](const ModelSpec& spec) {
    const auto all = weights_of(spec);
    return from_weights(Weights(all.begin(), all.end()), {.pixels = true});
  };
  EXPECT_EQ(read_back(test::recurrent_spec(r, 4)), test::recurrent_spec(r, 4));
  r.readout = Readout::mean_last;  // fc reads twice as much
  EXPECT_EQ(read_back(test::recurrent_spec(r, 4)), test::recurrent_spec(r, 4));
  r = {.name = "gru", .cell = Cell::gru, .input_size = 1, .hidden_size = 8, .bias = false};
  ModelSpec pixels = test::recurrent_spec(r, 4);
  pixels.input = ImageInput{.form = Form::pixels};
  EXPECT_EQ(read_back(pixels), pixels);
}

TEST(FromWeights, RecurrentLayersOnTopOfEachOther) {
  Weights weights = {{"gru10.weight_ih_l0", {9, 4}},
                     {"gru10.weight_hh_l0", {9, 3}},
                     {"gru2.weight_ih_l0", {12, 5}},
                     {"gru2.weight_hh_l0", {12, 4}},
                     {"fc.weight", {2, 3}}};
  const ModelSpec spec = from_weights(weights, {});
  ModelSpec expected;
  expected.input = SeriesInput{.features = 5};
  RecurrentSpec lower{.name = "gru2", .cell = Cell::gru, .input_size = 5, .hidden_size = 4};
  RecurrentSpec upper{.name = "gru10", .cell = Cell::gru, .input_size = 4, .hidden_size = 3};
  lower.bias = upper.bias = false;
  lower.readout = Readout::every_step;
  expected.layers = {lower, upper, LinearSpec{"fc", 3, 2, false}};
  EXPECT_EQ(spec, expected);
  weights["gru10.weight_ih_l0"] = {9, 7};
  refused(weights, {"gru2 gives 4 features, gru10 reads 7"});
}

TEST(FromWeights, LinearLayersInTheOrderThatFits) {
  // nn.Sequential names by numbers: 2 comes before 10.
  ModelSpec spec = from_weights({{"0.weight", {30, 784}},
                                 {"0.bias", {30}},
                                 {"2.weight", {30, 30}},
                                 {"2.bias", {30}},
                                 {"10.weight", {30, 30}},
                                 {"12.weight", {10, 30}},
                                 {"12.bias", {10}}},
                                {.activation = Activation::sigmoid, .pixels = true});
  ModelSpec expected;
  expected.input = ImageInput{.form = Form::flat, .height = 1, .width = 784};
  expected.layers = {LinearSpec{"0", 784, 30},        ActivationSpec{Activation::sigmoid},
                     LinearSpec{"2", 30, 30},         ActivationSpec{Activation::sigmoid},
                     LinearSpec{"10", 30, 30, false}, ActivationSpec{Activation::sigmoid},
                     LinearSpec{"12", 30, 10}};
  EXPECT_EQ(spec, expected);
  // By name "head" would be the first.
  spec = from_weights({{"linear.weight", {20, 784}}, {"head.weight", {10, 20}}}, {});
  EXPECT_EQ(std::get<LinearSpec>(spec.layers.front()).name, "linear");
  EXPECT_EQ(std::get<LinearSpec>(spec.layers.back()).name, "head");
  EXPECT_FALSE(has_activation(from_weights({{"linear.weight", {10, 784}}}, {})));
}

TEST(FromWeights, RefusesWhatItCannotRead) {
  refused({}, {"NAME.weight_ih_l0", "NAME.weight"});
  Weights weights = chapters_weights(1);
  weights["more.weight"] = {3, 11};
  refused(weights, {"no linear layer reads 10 features", "more reads 11"});
  weights = chapters_weights(1);
  weights["rnn.weight_ih_l0_reverse"] = {100, 28};
  refused(weights, {"no linear layer reads 200 features"});
  weights = chapters_weights(1);
  weights["rnn.weight_hr_l0"] = {100, 100};
  refused(weights, {"rnn"});
  weights = chapters_weights(1);
  weights["conv.weight"] = {8, 1, 3, 3};
  refused(weights, {"conv.weight", "convolution", "stride"});
  weights = chapters_weights(1, 2);
  refused(weights, {"200 rows for 100 hidden units"});
  weights = chapters_weights(2);
  weights["rnn.weight_hh_l1"] = {100, 99};
  weights["rnn.bias_ih_l0"] = {};
  refused(weights, {"rnn.weight_hh_l1 has shape [100, 99], expected [100, 100]",
                    "rnn.bias_ih_l0 has shape []"});
  const std::int64_t huge = std::int64_t{1} << 62;
  for (const Sizes& sizes : {Sizes{0, 0}, Sizes{100, 0}, Sizes{0, 100}, Sizes{}, Sizes{100},
                             Sizes{-3, -1}, Sizes{100, 100, 1}, Sizes{huge, huge}}) {
    weights = chapters_weights(1);
    weights["rnn.weight_hh_l0"] = sizes;
    refused(weights, {"rnn"});
    weights = chapters_weights(1);
    weights["fc.weight"] = sizes;
    refused(weights, {"fc"});
  }
  EXPECT_THROW(from_weights(chapters_weights(1), {.activation = Activation::sigmoid}), ValueError);
}

}  // namespace
}  // namespace unroll::spec
