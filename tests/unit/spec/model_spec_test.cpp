#include "unroll/spec/model_spec.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/expect_error.h"
#include "unroll/core/error.h"

namespace unroll::spec {
namespace {

using Json = nlohmann::json;
using test::error_of;
using Weights = std::map<std::string, Sizes>;

void expect_parts(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
}

ModelSpec full_spec() {
  ModelSpec spec;
  spec.recurrent = "layers.rnn";
  spec.readout = "out";
  spec.input_size = 28;
  spec.hidden_size = 64;
  spec.num_layers = 3;
  spec.bias = false;
  spec.nonlinearity = Nonlinearity::tanh;
  spec.outputs = 2;
  spec.steps = 28;
  spec.input_mean = 0.1307;
  spec.input_std = 0.3081;
  spec.dataset = "mnist \"quoted\" ü";
  spec.classes = {"no", "yes"};
  return spec;
}

// nn.RNN(28, 100, layers) called "rnn" and nn.Linear(100, 10) called "fc": the chapter's models.
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

TEST(ModelJson, RoundTrip) {
  EXPECT_EQ(from_json(to_json(full_spec())), full_spec());
  ModelSpec least;
  least.input_size = least.hidden_size = least.outputs = 1;
  EXPECT_EQ(from_json(to_json(least)), least);
  EXPECT_NE(to_json(least), to_json(full_spec()));
}

TEST(ModelJson, ANewerVersionIsNamed) {
  for (const Json& version : {Json(2), Json(std::int64_t{1} << 40)}) {
    Json json = Json::parse(to_json(full_spec()));
    json = {{"version", version}, {"something", "new"}};
    expect_parts(error_of<FormatError>([&] { from_json(json.dump()); }),
                 {"written by a newer version", version.dump()});
  }
}

TEST(ModelJson, DamageIsRefused) {
  const std::string good = to_json(full_spec());
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_THROW(from_json(std::string_view(good).substr(0, size)), FormatError) << size;
  const Json values[] = {nullptr,
                         true,
                         -1,
                         1.5,
                         1e300,
                         "",
                         "gru",
                         0,
                         Json::array(),
                         Json::object(),
                         std::numeric_limits<std::uint64_t>::max()};
  const Json whole = Json::parse(good);
  int refused = 0;
  for (const auto& item : whole.items()) {
    Json json = whole;
    json.erase(item.key());
    EXPECT_THROW(from_json(json.dump()), FormatError) << item.key();
    for (const Json& value : values) {
      json[item.key()] = value;
      // Whatever it makes of it: no other kind of exception, and nothing implausible.
      try {
        const ModelSpec spec = from_json(json.dump());
        EXPECT_GE(spec.hidden_size, 1);
        EXPECT_GT(spec.input_std, 0);
      } catch (const FormatError& error) {
        expect_parts(error.what(), {"[model]"});
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 100);
  EXPECT_THROW(from_json(std::string(100000, '[')), FormatError);
  EXPECT_THROW(from_json(std::string(2 << 20, ' ') + good), FormatError);
  EXPECT_THROW(from_json("{\"version\":1,\"kind\":\"\xff\"}"), FormatError);
}

TEST(ModelSpec, WeightsInTheChaptersOrder) {
  ModelSpec spec;
  spec.input_size = 28;
  spec.hidden_size = 100;
  spec.outputs = 10;
  const std::vector<std::pair<std::string, Sizes>> expected = {
      {"rnn.weight_ih_l0", {100, 28}}, {"rnn.weight_hh_l0", {100, 100}}, {"rnn.bias_ih_l0", {100}},
      {"rnn.bias_hh_l0", {100}},       {"fc.weight", {10, 100}},         {"fc.bias", {10}}};
  EXPECT_EQ(weights_of(spec), expected);
  spec.num_layers = 2;
  EXPECT_EQ(weights_of(spec).size(), 10u);
  EXPECT_EQ(weights_of(spec)[4].second, (Sizes{100, 100}));
  spec.bias = false;
  EXPECT_EQ(weights_of(spec).size(), 6u);
}

TEST(FromWeights, ReadsTheChaptersModels) {
  for (const int layers : {1, 2}) {
    ModelSpec given;
    given.nonlinearity = Nonlinearity::tanh;
    given.input_mean = 0.5;
    ModelSpec expected = given;
    expected.input_size = 28;
    expected.hidden_size = 100;
    expected.num_layers = layers;
    expected.outputs = 10;
    EXPECT_EQ(from_weights(chapters_weights(layers), given), expected);
  }
}

TEST(FromWeights, TakesNamesAndBiasesAsTheyAre) {
  const Weights weights = {{"net.encoder.weight_ih_l0", {7, 3}},
                           {"net.encoder.weight_hh_l0", {7, 7}},
                           {"net.head.weight", {2, 7}},
                           {"net.head.bias", {2}}};
  const ModelSpec spec = from_weights(weights, {});
  EXPECT_EQ(spec.recurrent, "net.encoder");
  EXPECT_EQ(spec.readout, "net.head");
  EXPECT_EQ(spec.input_size, 3);
  EXPECT_EQ(spec.hidden_size, 7);
  EXPECT_EQ(spec.outputs, 2);
  EXPECT_FALSE(spec.bias);
}

TEST(FromWeights, RefusesWhatIsNoPlainRnnByName) {
  const auto refused = [](const Weights& weights, const std::vector<std::string>& parts) {
    expect_parts(error_of<FormatError>([&] { from_weights(weights, {}); }), parts);
  };
  refused(chapters_weights(1, 4), {"rnn", "LSTM", "only nn.RNN"});
  refused(chapters_weights(1, 3), {"rnn", "GRU", "only nn.RNN"});
  refused({}, {"weight_ih_l0"});
  refused({{"fc.weight", {10, 100}}}, {"weight_ih_l0"});
  Weights weights = chapters_weights(1);
  weights["more.weight"] = {3, 10};
  refused(weights, {"2 layers", "fc", "more"});
  weights = chapters_weights(1);
  weights["rnn.weight_ih_l0_reverse"] = {100, 28};
  refused(weights, {"rnn.weight_ih_l0_reverse is not part"});
  weights = chapters_weights(1);
  weights.erase("fc.bias");
  refused(weights, {"fc.bias is missing"});
  weights = chapters_weights(2);
  weights["rnn.weight_hh_l1"] = {100, 99};
  weights["rnn.bias_ih_l0"] = {};
  refused(weights, {"rnn.weight_hh_l1 has shape [100, 99], expected [100, 100]",
                    "rnn.bias_ih_l0 has shape []"});
  for (const Sizes& sizes : {Sizes{0, 0}, Sizes{100, 0}, Sizes{0, 100}, Sizes{}, Sizes{100},
                             Sizes{-3, -1}, Sizes{100, 100, 1}}) {
    weights = chapters_weights(1);
    weights["rnn.weight_hh_l0"] = sizes;
    refused(weights, {"rnn"});
    weights = chapters_weights(1);
    weights["fc.weight"] = sizes;
    refused(weights, {"fc"});
  }
}

TEST(Differences, ListsAllOfThem) {
  ModelSpec spec;
  spec.input_size = 28;
  spec.hidden_size = 100;
  spec.outputs = 10;
  Weights weights = chapters_weights(1);
  EXPECT_EQ(differences(spec, weights), "");
  weights.erase("rnn.bias_hh_l0");
  weights["fc.weight"] = {10, 101};
  weights["extra"] = {};
  EXPECT_EQ(
      differences(spec, weights),
      "rnn.bias_hh_l0 is missing; fc.weight has shape [10, 101], expected [10, 100]; extra is "
      "not part of the model");
}

TEST(Nonlinearity, Names) {
  for (const Nonlinearity f : {Nonlinearity::relu, Nonlinearity::tanh})
    EXPECT_EQ(nonlinearity_named(name_of(f)), f);
  expect_parts(error_of<ValueError>([] { nonlinearity_named("tahn"); }),
               {"tahn", "did you mean tanh?"});
}

}  // namespace
}  // namespace unroll::spec
