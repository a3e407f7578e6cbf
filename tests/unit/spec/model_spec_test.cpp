#include "unroll/spec/model_spec.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "support/everything.h"
#include "support/expect_error.h"
#include "support/expect_parts.h"
#include "support/specs.h"
#include "unroll/core/error.h"

namespace unroll::spec {
namespace {

using Json = nlohmann::json;
using test::error_of;

using test::expect_parts;

/// Every kind of layer, and no number as by default.
ModelSpec full_spec() {
  ModelSpec spec;
  spec.input = ImageInput{.form = Form::pixels,
                          .height = 7,
                          .width = 5,
                          .permutation = 18446744073709551615u,
                          .mean = 0.1307,
                          .std = 0.3081};
  spec.layers = {LinearSpec{"embedding", 1, 9},
                 ActivationSpec{Activation::sigmoid},
                 RecurrentSpec{.name = "layers.lstm",
                               .cell = Cell::lstm,
                               .input_size = 9,
                               .hidden_size = 64,
                               .num_layers = 3,
                               .proj_size = 6,
                               .bidirectional = true,
                               .bias = false,
                               .layer_norm = true,
                               .zoneout_h = 0.25,
                               .zoneout_c = 0.1,
                               .learn_initial_state = true,
                               .readout = Readout::every_step},
                 RecurrentSpec{.name = "gru",
                               .cell = Cell::gru,
                               .input_size = 12,
                               .hidden_size = 8,
                               .readout = Readout::every_step},
                 RecurrentSpec{.name = "rnn",
                               .nonlinearity = Nonlinearity::tanh,
                               .input_size = 8,
                               .hidden_size = 4,
                               .readout = Readout::mean_last},
                 LinearSpec{"out", 8, 2, false}};
  spec.output = Output::scores;
  spec.dataset = "mnist \"quoted\" ü";
  spec.classes = {"no", "yes"};
  return spec;
}

ModelSpec image_spec() {
  ModelSpec spec;
  spec.input = ImageInput{.form = Form::image, .height = 28, .width = 28};
  spec.layers = {Conv2dSpec{.name = "cnn1",
                            .in_channels = 1,
                            .out_channels = 16,
                            .kernel = {5, 4},
                            .stride = {2, 1},
                            .padding = {2, 1},
                            .bias = false},
                 ActivationSpec{Activation::tanh},
                 MaxPool2dSpec{.kernel = {2, 3}, .stride = {2, 2}, .padding = {1, 0}},
                 FlattenSpec{}, LinearSpec{"fc1", 16 * 8 * 13, 10}};
  return spec;
}

ModelSpec residual_spec() {
  ModelSpec spec = test::rnn_spec(3, 3, 2);
  std::get<RecurrentSpec>(spec.layers[0]).readout = Readout::every_step;
  spec.layers.insert(spec.layers.begin(), ScaleSpec{{0.5, 1, 2}, {3}});
  spec.layers.insert(spec.layers.begin() + 2, ResidualSpec{2});
  return spec;
}

// So that older programs read what they can run.
TEST(ModelJson, TheVersionIsTheOldestThatCanSayIt) {
  EXPECT_EQ(Json::parse(to_json(full_spec()))["version"], 2);
  EXPECT_EQ(Json::parse(to_json(residual_spec()))["version"], 3);
  ModelSpec numbers = full_spec();
  std::get<ImageInput>(numbers.input).pixels = false;
  EXPECT_EQ(Json::parse(to_json(numbers))["version"], 3);
  EXPECT_EQ(from_json(to_json(numbers)), numbers);
  EXPECT_FALSE(Json::parse(to_json(full_spec()))["input"].contains("pixels"));
}

TEST(ModelJson, EmbeddingAndLayerNormAreOfVersion4) {
  ModelSpec spec = full_spec();
  spec.layers.emplace_back(LayerNormSpec{.name = "norm", .features = outputs_of(spec)});
  const Json json = Json::parse(to_json(spec));
  EXPECT_EQ(json["version"], 4);
  EXPECT_EQ(json["layers"].back(),
            Json::parse(R"({"type":"layer_norm","name":"norm","features":)" +
                        std::to_string(outputs_of(spec)) +
                        R"(,"eps":1e-5,"elementwise_affine":true,"bias":true})"));
  EXPECT_EQ(Json::parse(to_json(test::everything_spec()))["layers"][0],
            Json::parse(R"({"type":"embedding","name":"embedding","num_embeddings":7,)"
                        R"("embedding_dim":5})"));
}

TEST(ModelJson, RoundTrip) {
  for (const ModelSpec& spec : {full_spec(), image_spec(), residual_spec(), test::everything_spec(),
                                test::rnn_spec(1, 1, 1)})
    EXPECT_EQ(from_json(to_json(spec)), spec);
  EXPECT_NE(to_json(image_spec()), to_json(full_spec()));
}

// A file's description as version 1 of the format had it, to the letter.
TEST(ModelJson, ReadsVersion1) {
  const char* const text =
      R"({"version":1,"kind":"rnn","recurrent":"rnn","readout":"fc","input_size":28,)"
      R"("hidden_size":100,"num_layers":2,"bias":true,"nonlinearity":"tanh","outputs":10,)"
      R"("steps":28,"input_mean":0.1307,"input_std":0.3081,"dataset":"mnist","classes":[]})";
  ModelSpec expected = test::rnn_spec(28, 100, 10, 2, Nonlinearity::tanh);
  expected.input = ImageInput{.height = 28, .width = 28, .mean = 0.1307, .std = 0.3081};
  expected.dataset = "mnist";
  EXPECT_EQ(from_json(text), expected);
  Json json = Json::parse(text);
  json["kind"] = "lstm";
  expect_parts(error_of<FormatError>([&] { from_json(json.dump()); }), {"'lstm'"});
}

TEST(ModelJson, ANewerVersionIsNamed) {
  for (const Json& version : {Json(ModelSpec::version + 1), Json(std::int64_t{1} << 40)}) {
    const Json json = {{"version", version}, {"something", "new"}};
    expect_parts(error_of<FormatError>([&] { from_json(json.dump()); }),
                 {"written by a newer version", version.dump()});
  }
}

/// f(json) for every value in it, objects and lists too, that `at` reaches.
void for_each_value(Json& at, const std::function<void(Json&)>& f) {
  for (auto& item : at) {
    f(item);
    if (item.is_structured()) for_each_value(item, f);
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
                         std::int64_t{1} << 62,
                         std::numeric_limits<std::uint64_t>::max()};
  int refused = 0;
  for (const ModelSpec& spec :
       {full_spec(), image_spec(), residual_spec(), test::everything_spec()}) {
    Json json = Json::parse(to_json(spec));
    for_each_value(json, [&](Json& value) {
      const Json before = value;
      for (const Json& other : values) {
        value = other;
        // Whatever it makes of it: no other kind of exception, and nothing implausible.
        try {
          EXPECT_FALSE(features_of(from_json(json.dump())).empty());
        } catch (const FormatError& error) {
          expect_parts(error.what(), {"[model]"});
          ++refused;
        }
      }
      value = before;
    });
  }
  EXPECT_GT(refused, 500);
  EXPECT_THROW(from_json(std::string(100000, '[')), FormatError);
  EXPECT_THROW(from_json(std::string(2 << 20, ' ') + good), FormatError);
  EXPECT_THROW(from_json("{\"version\":2,\"input\":\"\xff\"}"), FormatError);
}

TEST(ModelJson, MissingAndUnknownKeysAreNamed) {
  const std::function<void(Json&, const Json&)> walk = [&](Json& at, const Json& whole) {
    if (at.is_object()) {
      const Json before = at;
      for (const auto& item : before.items()) {
        at.erase(item.key());
        expect_parts(error_of<FormatError>([&] { from_json(whole.dump()); }),
                     {"'" + item.key() + "'"});
        at = before;
      }
      at["surprise"] = 1;
      expect_parts(error_of<FormatError>([&] { from_json(whole.dump()); }),
                   {"'surprise' is not known"});
      at = before;
    }
    for (auto& item : at)
      if (item.is_structured()) walk(item, whole);
  };
  for (const ModelSpec& spec :
       {full_spec(), image_spec(), residual_spec(), test::everything_spec()}) {
    Json json = Json::parse(to_json(spec));
    walk(json, json);
  }
}

TEST(Features, FlowThroughEveryLayer) {
  using Kind = Features::Kind;
  const std::vector<Features> sequence = {{Kind::sequence, 1, 1, 1}, {Kind::sequence, 1, 1, 9},
                                          {Kind::sequence, 1, 1, 9}, {Kind::sequence, 1, 1, 12},
                                          {Kind::sequence, 1, 1, 8}, {Kind::vector, 1, 1, 8},
                                          {Kind::vector, 1, 1, 2}};
  EXPECT_EQ(features_of(full_spec()), sequence);
  const std::vector<Features> image = {{Kind::image, 1, 28, 28},   {Kind::image, 16, 14, 27},
                                       {Kind::image, 16, 14, 27},  {Kind::image, 16, 8, 13},
                                       {Kind::vector, 1, 1, 1664}, {Kind::vector, 1, 1, 10}};
  EXPECT_EQ(features_of(image_spec()), image);
  EXPECT_EQ(inputs_of(image_spec()), 784);
  EXPECT_EQ(outputs_of(image_spec()), 10);
}

/// What is said of a description in which `how` changed something.
template <class Layer, class How>
std::string refusal(ModelSpec spec, std::size_t layer, How&& how) {
  how(std::get<Layer>(spec.layers.at(layer)));
  return error_of<FormatError>([&] { features_of(spec); });
}

TEST(Features, WhatDoesNotFitNamesTheLayer) {
  const auto recurrent = [](auto&& how) { return refusal<RecurrentSpec>(full_spec(), 2, how); };
  const auto conv = [](auto&& how) { return refusal<Conv2dSpec>(image_spec(), 0, how); };
  const auto pool = [](auto&& how) { return refusal<MaxPool2dSpec>(image_spec(), 2, how); };
  EXPECT_EQ(recurrent([](auto& r) { r.input_size = 10; }),
            "[model] layers.lstm: reads a sequence of 10 features per step, but its input is a "
            "sequence of 9 features per step");
  expect_parts(recurrent([](auto& r) { r.hidden_size = 0; }), {"layers.lstm: hidden_size is 0"});
  expect_parts(recurrent([](auto& r) { r.num_layers = 1025; }), {"num_layers is 1025"});
  expect_parts(recurrent([](auto& r) { r.proj_size = 64; }), {"proj_size is 64, expected 0 to 63"});
  expect_parts(recurrent([](auto& r) { r.zoneout_h = 1.5; }), {"zoneout_h is 1.5"});
  expect_parts(recurrent([](auto& r) { r.name = "gru"; }),
               {"the name gru is taken by a layer before it"});
  expect_parts(recurrent([](auto& r) { r.name = "a\nb"; }), {"layer 3", "control characters"});
  expect_parts(recurrent([](auto& r) { r.readout = Readout::last; }),
               {"gru: reads a sequence of 12", "a vector of 12"});
  expect_parts(refusal<RecurrentSpec>(full_spec(), 3, [](auto& r) { r.proj_size = 2; }),
               {"gru: proj_size is 2, expected 0 to 0"});
  expect_parts(refusal<RecurrentSpec>(full_spec(), 3, [](auto& r) { r.zoneout_c = 0.5; }),
               {"gru: zoneout_c"});
  expect_parts(refusal<LinearSpec>(full_spec(), 5, [](auto& l) { l.in_features = 7; }),
               {"out: reads 7 features, but its input is a vector of 8"});
  expect_parts(conv([](auto& c) { c.in_channels = 3; }), {"cnn1: reads an image of 3 channels"});
  expect_parts(conv([](auto& c) { c.kernel.height = 33; }),
               {"cnn1", "does not fit", "1 x 28 x 28"});
  expect_parts(conv([](auto& c) { c.stride.width = 0; }), {"cnn1: stride's width is 0"});
  expect_parts(pool([](auto& p) { p.padding.height = 2; }), {"layer 3: padding's height is 2"});
  ModelSpec spec = image_spec();
  spec.layers.erase(spec.layers.begin() + 3);
  expect_parts(error_of<FormatError>([&] { features_of(spec); }),
               {"fc1", "an image of 16 x 8 x 13"});
  spec.layers.pop_back();
  expect_parts(error_of<FormatError>([&] { features_of(spec); }),
               {"the last layer's output is an image"});
  // Small in the file, huge in memory.
  spec = image_spec();
  auto& images = std::get<ImageInput>(spec.input);
  images.height = images.width = 1 << 24;
  expect_parts(error_of<FormatError>([&] { features_of(spec); }), {"cnn1", "at most"});
  spec = full_spec();
  std::get<ImageInput>(spec.input).height = 0;
  EXPECT_THROW(features_of(spec), FormatError);  // a permutation of how many?
}

TEST(ModelSpec, WeightsInTheChaptersOrder) {
  const std::vector<std::pair<std::string, Sizes>> expected = {
      {"rnn.weight_ih_l0", {100, 28}}, {"rnn.weight_hh_l0", {100, 100}}, {"rnn.bias_ih_l0", {100}},
      {"rnn.bias_hh_l0", {100}},       {"fc.weight", {10, 100}},         {"fc.bias", {10}}};
  EXPECT_EQ(weights_of(test::rnn_spec(28, 100, 10)), expected);
  const auto two = weights_of(test::rnn_spec(28, 100, 10, 2));
  EXPECT_EQ(two.size(), 10u);
  EXPECT_EQ(two[4].second, (Sizes{100, 100}));
  EXPECT_EQ(weights_of(test::rnn_spec(28, 100, 10, 2, Nonlinearity::relu, false)).size(), 5u + 1);
}

TEST(ModelSpec, WeightsOfABidirectionalProjectedLstm) {
  ModelSpec spec;
  spec.input = SeriesInput{.features = 5};
  spec.layers = {RecurrentSpec{.name = "lstm",
                               .cell = Cell::lstm,
                               .input_size = 5,
                               .hidden_size = 7,
                               .num_layers = 2,
                               .proj_size = 3,
                               .bidirectional = true,
                               .layer_norm = true,
                               .learn_initial_state = true}};
  const auto all = weights_of(spec);
  const std::map<std::string, Sizes> by_name(all.begin(), all.end());
  EXPECT_EQ(all.size(), 4u * 11 + 2);
  EXPECT_EQ(by_name.at("lstm.weight_ih_l0_reverse"), (Sizes{28, 5}));
  EXPECT_EQ(by_name.at("lstm.weight_ih_l1"), (Sizes{28, 6}));
  EXPECT_EQ(by_name.at("lstm.weight_hh_l1"), (Sizes{28, 3}));
  EXPECT_EQ(by_name.at("lstm.weight_hr_l1_reverse"), (Sizes{3, 7}));
  EXPECT_EQ(by_name.at("lstm.layer_norm_ih_l0.weight"), Sizes{28});
  EXPECT_EQ(by_name.at("lstm.layer_norm_c_l1_reverse.bias"), Sizes{7});
  EXPECT_EQ(by_name.at("lstm.h_0"), (Sizes{4, 1, 3}));
  EXPECT_EQ(by_name.at("lstm.c_0"), (Sizes{4, 1, 7}));
}

TEST(Differences, ListsAllOfThem) {
  const ModelSpec spec = test::rnn_spec(28, 100, 10);
  const auto all = weights_of(spec);
  std::map<std::string, Sizes> weights(all.begin(), all.end());
  EXPECT_EQ(differences(spec, weights), "");
  weights.erase("rnn.bias_hh_l0");
  weights["fc.weight"] = {10, 101};
  weights["extra"] = {};
  EXPECT_EQ(
      differences(spec, weights),
      "rnn.bias_hh_l0 is missing; fc.weight has shape [10, 101], expected [10, 100]; extra is "
      "not part of the model");
}

TEST(Names, OfEveryValue) {
  for (const Nonlinearity f : {Nonlinearity::relu, Nonlinearity::tanh})
    EXPECT_EQ(nonlinearity_named(name_of(f)), f);
  for (const Cell cell : {Cell::rnn, Cell::lstm, Cell::gru})
    EXPECT_EQ(cell_named(name_of(cell)), cell);
  for (const Activation f :
       {Activation::relu, Activation::tanh, Activation::sigmoid, Activation::symlog})
    EXPECT_EQ(activation_named(name_of(f)), f);
  for (const Readout r :
       {Readout::last, Readout::mean, Readout::max, Readout::mean_last, Readout::every_step})
    EXPECT_EQ(readout_named(name_of(r)), r);
  for (const Form form : {Form::rows, Form::pixels, Form::flat, Form::image})
    EXPECT_EQ(form_named(name_of(form)), form);
  expect_parts(error_of<ValueError>([] { nonlinearity_named("tahn"); }),
               {"tahn", "did you mean tanh?"});
}

TEST(Features, EmbeddingsReadTokensAndNormsFeatures) {
  using Kind = Features::Kind;
  const ModelSpec good = test::everything_spec();
  const auto features = features_of(good);
  EXPECT_EQ(features[0], (Features{Kind::tokens, 1, 1, 7}));
  EXPECT_EQ(features[1], (Features{Kind::sequence, 1, 1, 5}));
  EXPECT_EQ(features.back(), (Features{Kind::vector, 1, 1, 3}));
  const auto refusal = [&](std::vector<LayerSpec> layers) {
    ModelSpec spec = good;
    spec.layers = std::move(layers);
    return error_of<FormatError>([&] { features_of(spec); });
  };
  const EmbeddingSpec embedding{"words", 7, 5};
  EXPECT_EQ(
      refusal({EmbeddingSpec{"words", 8, 5}}),
      "[model] words: reads tokens from 0 to 7, but its input is a sequence of tokens from 0 to 6");
  EXPECT_EQ(refusal({embedding, EmbeddingSpec{"again", 7, 5}}),
            "[model] again: reads tokens from 0 to 6, but its input is a sequence of 5 features "
            "per step");
  EXPECT_EQ(refusal({EmbeddingSpec{"words", 7, 0}}),
            "[model] words: embedding_dim is 0, expected 1 to 16777216");
  EXPECT_EQ(refusal({LinearSpec{"fc", 7, 2}}),
            "[model] fc: reads 7 features, but its input is a sequence of tokens from 0 to 6");
  expect_parts(refusal({ActivationSpec{}}),
               {"layer 1: reads numbers, but its input is a sequence of tokens"});
  expect_parts(refusal({ScaleSpec{}}), {"layer 1: reads a vector or a sequence"});
  expect_parts(refusal({LayerNormSpec{.name = "norm", .features = 7}}), {"norm: reads 7 features"});
  EXPECT_EQ(refusal({embedding, LayerNormSpec{.name = "norm", .features = 4}}),
            "[model] norm: reads 4 features, but its input is a sequence of 5 features per step");
  for (const double eps : {0.0, -1.0, 2.0, 1e-60, std::numeric_limits<double>::quiet_NaN()})
    expect_parts(refusal({embedding, LayerNormSpec{.name = "norm", .features = 5, .eps = eps}}),
                 {"norm: eps is ", "expected more than 0 and at most 1"});
}

}  // namespace
}  // namespace unroll::spec
