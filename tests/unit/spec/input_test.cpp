// What goes into a model: its kinds, their JSON in every version of the format, and scaling.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/expect_error.h"
#include "support/program.h"
#include "support/specs.h"
#include "unroll/core/error.h"
#include "unroll/spec/model_spec.h"

namespace unroll::spec {
namespace {

using Json = nlohmann::json;
using test::error_of;
using Kind = Features::Kind;

/// A description as the version of the format that its name says has it.
ModelSpec description(const std::string& name) {
  return from_json(
      test::content_of(UNROLL_SOURCE_DIR "/tests/unit/spec/descriptions/" + name + ".json"));
}

InputSpec input_in(const std::string& name) { return description(name).input; }

int version_of(const ModelSpec& spec) { return Json::parse(to_json(spec)).at("version"); }

TEST(Formats, ImagesOfEveryVersion) {
  EXPECT_EQ(input_in("format_1"),
            InputSpec(ImageInput{.height = 28, .width = 28, .mean = 0.1307, .std = 0.3081}));
  EXPECT_EQ(input_in("format_2_images"), InputSpec(ImageInput{.form = Form::pixels,
                                                              .height = 28,
                                                              .width = 28,
                                                              .permutation = 7,
                                                              .mean = 0.1307,
                                                              .std = 0.3081}));
  EXPECT_EQ(
      input_in("format_4_images"),
      InputSpec(ImageInput{.form = Form::flat, .height = 4, .width = 5, .mean = 0.5, .std = 0.25}));
}

// Version 2 said of the memory tasks that they read pixels, and version 3 of all numbers that they
// are rows, or pixels, or a flat image.
TEST(Formats, NumbersOfVersions2And3) {
  EXPECT_EQ(input_in("format_2_adding"), InputSpec(SeriesInput{.features = 2, .steps = 100}));
  EXPECT_EQ(input_in("format_2_copy"), InputSpec(SeriesInput{.features = 10, .steps = 40}));
  EXPECT_EQ(input_in("format_3_series"), InputSpec(SeriesInput{.features = 1}));
  EXPECT_EQ(input_in("format_3_vector"), InputSpec(VectorInput{.features = 6}));
  EXPECT_EQ(input_in("format_3_image"),
            InputSpec(ImageInput{.form = Form::image, .height = 4, .width = 5, .pixels = false}));
}

TEST(Formats, KindsOfVersion4) {
  EXPECT_EQ(
      input_in("format_4_series"),
      InputSpec(SeriesInput{
          .features = 2, .names = {"temperature", "wind"}, .mean = {15.5, 3}, .std = {8, 2}}));
  EXPECT_EQ(input_in("format_4_vector"),
            InputSpec(VectorInput{.features = 2, .names = {"height", "weight"}}));
  EXPECT_EQ(input_in("format_4_tokens"),
            InputSpec(TokenInput{.tokens = 5, .vocabulary = {"<end>", "a", "b", "c", " "}}));
}

/// The first line of a file, as it was written.
TEST(Formats, WhatIsReadIsWrittenAsItWas) {
  for (const std::string name : {"format_2_images", "format_3_image", "format_4_series",
                                 "format_4_vector", "format_4_images", "format_4_tokens"}) {
    const std::string text =
        test::content_of(UNROLL_SOURCE_DIR "/tests/unit/spec/descriptions/" + name + ".json");
    EXPECT_EQ(to_json(from_json(text)) + "\n", text);
  }
}

// So that older programs read what they can run.
TEST(Formats, TheVersionIsTheOldestThatCanSayTheInput) {
  ModelSpec spec = test::rnn_spec(2, 3, 1);
  EXPECT_EQ(version_of(spec), 2);
  spec.input = SeriesInput{.features = 2, .steps = 100};
  EXPECT_EQ(version_of(spec), 3);
  EXPECT_FALSE(Json::parse(to_json(spec)).at("input").at("pixels").get<bool>());
  EXPECT_EQ(from_json(to_json(spec)), spec);
  spec.input = SeriesInput{.features = 2, .names = {"a", "b"}};
  EXPECT_EQ(version_of(spec), 4);
  spec.input = SeriesInput{.features = 2, .mean = {0, 1}, .std = {1, 2}};
  EXPECT_EQ(version_of(spec), 4);
  EXPECT_EQ(from_json(to_json(spec)), spec);
  // An older program would take these for numbers.
  spec.input = ImageInput{.height = 3, .width = 2};
  spec.output = Output::values;
  EXPECT_EQ(version_of(spec), 4);
  EXPECT_EQ(from_json(to_json(spec)), spec);
  spec.output = Output::logits;
  spec.dataset = "adding";
  EXPECT_EQ(version_of(spec), 4);
  EXPECT_EQ(from_json(to_json(spec)), spec);

  spec = {.layers = {LinearSpec{"fc", 7, 1}}};
  spec.input = VectorInput{.features = 7};
  EXPECT_EQ(version_of(spec), 3);
  EXPECT_EQ(from_json(to_json(spec)), spec);
  // An older program reads rows of at most 2^24 numbers.
  spec.input = VectorInput{.features = 1 << 25};
  spec.layers = {LinearSpec{"fc", 1 << 25, 1}};
  EXPECT_EQ(version_of(spec), 4);
  EXPECT_EQ(from_json(to_json(spec)), spec);
}

TEST(Formats, TheSameInAnotherVersionIsTheSameDescription) {
  const std::string old =
      test::content_of(UNROLL_SOURCE_DIR "/tests/unit/spec/descriptions/format_2_adding.json");
  const std::string now = to_json(from_json(old));
  EXPECT_EQ(Json::parse(now).at("version"), 3);
  EXPECT_TRUE(same_description(old, now));
  ModelSpec other = from_json(old);
  std::get<SeriesInput>(other.input).steps = 101;
  EXPECT_FALSE(same_description(old, to_json(other)));
}

TEST(Formats, DamageIsRefused) {
  const Json whole = Json::parse(to_json(description("format_4_series")));
  const auto refusal = [&](auto&& how) {
    Json json = whole;
    how(json.at("input"));
    return error_of<FormatError>([&] { from_json(json.dump()); });
  };
  const auto says = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  says(refusal([](Json& i) { i["kind"] = "sound"; }), "the input kind 'sound' is not known");
  says(refusal([](Json& i) { i["kind"] = 4; }), "'kind' is of the wrong type");
  for (const auto& member : whole.at("input").items())
    says(refusal([&](Json& i) { i.erase(member.key()); }), "'" + member.key() + "' is missing");
  says(refusal([](Json& i) { i["surprise"] = 1; }), "'surprise' is not known");
  says(refusal([](Json& i) { i["names"] = {"one"}; }), "1 names of features, expected 2 or none");
  says(refusal([](Json& i) { i["names"] = {1, 2}; }), "'names' is of the wrong type");
  says(refusal([](Json& i) { i["std"] = {1, 0}; }), "a std is 0, expected more than 0");
  says(refusal([](Json& i) {
         i["mean"] = {1, 2, 3};
       }),
       "its mean has 3 numbers, expected 1, or 2: one for each feature");
  says(refusal([](Json& i) { i["mean"] = Json::array(); }), "its mean has 0 numbers");
  says(refusal([](Json& i) { i["features"] = 0; }), "features is 0");
  says(refusal([](Json& i) { i["steps"] = std::int64_t{1} << 41; }), "steps is 2199023255552");
}

TEST(Input, WhatEachKindIs) {
  const struct {
    InputSpec input;
    bool sequence;
    std::int64_t steps;
    Features features;
  } kinds[] = {
      {ImageInput{.height = 3, .width = 2}, true, 3, {Kind::sequence, 1, 1, 2}},
      {ImageInput{.form = Form::pixels, .height = 3, .width = 2},
       true,
       6,
       {Kind::sequence, 1, 1, 1}},
      {ImageInput{.form = Form::pixels}, true, 0, {Kind::sequence, 1, 1, 1}},
      {ImageInput{.form = Form::flat, .height = 3, .width = 2}, false, 1, {Kind::vector, 1, 1, 6}},
      {ImageInput{.form = Form::image, .height = 3, .width = 2}, false, 1, {Kind::image, 1, 3, 2}},
      {SeriesInput{.features = 4}, true, 0, {Kind::sequence, 1, 1, 4}},
      {SeriesInput{.features = 4, .steps = 9}, true, 9, {Kind::sequence, 1, 1, 4}},
      {VectorInput{.features = 4}, false, 1, {Kind::vector, 1, 1, 4}},
      {TokenInput{.tokens = 50, .steps = 9}, true, 9, {Kind::tokens, 1, 1, 50}},
  };
  for (const auto& kind : kinds) {
    EXPECT_EQ(is_sequence(kind.input), kind.sequence) << kind.input.index();
    EXPECT_EQ(steps_of(kind.input), kind.steps) << kind.input.index();
    EXPECT_EQ(features_of(kind.input), kind.features) << kind.input.index();
    EXPECT_EQ(pixels_of(kind.input), std::get_if<ImageInput>(&kind.input));
  }
  EXPECT_EQ(features_of(InputSpec(TokenInput{.tokens = 50})).size(), 1);  // a number a step
  EXPECT_EQ(pixels_of(ImageInput{.form = Form::image, .pixels = false}), nullptr);
}

TEST(Input, WhatIsOutOfRangeIsRefused) {
  const auto refusal = [](const InputSpec& input) {
    return error_of<FormatError>([&] { features_of(input); });
  };
  EXPECT_EQ(refusal(TokenInput{}), "[model] the input: tokens is 0, expected 1 to 16777216");
  EXPECT_EQ(refusal(TokenInput{.tokens = 2, .vocabulary = {"a"}}),
            "[model] the input: 1 texts in the vocabulary, expected 2 or none");
  EXPECT_EQ(refusal(VectorInput{}), "[model] the input: features is 0, expected 1 to 134217728");
  EXPECT_EQ(refusal(ImageInput{.height = 2, .width = 2, .pixels = false}),
            "[model] the input: the form is rows, but there are no pixels; describe the input as a "
            "series or a vector");
}

// No layer but an embedding reads tokens.
TEST(Input, TokensAreNoNumbers) {
  ModelSpec spec;
  spec.input = TokenInput{.tokens = 5};
  for (const LayerSpec& layer :
       {LayerSpec(LinearSpec{"fc", 5, 2}), LayerSpec(ActivationSpec{}), LayerSpec(ScaleSpec{}),
        LayerSpec(RecurrentSpec{.input_size = 5, .hidden_size = 2})}) {
    spec.layers = {layer};
    const std::string text = error_of<FormatError>([&] { features_of(spec); });
    EXPECT_NE(text.find("but its input is a sequence of tokens from 0 to 4"), std::string::npos)
        << text;
  }
}

TEST(Input, ItsScalingIsTheFirstLayerOfWhatRuns) {
  const ModelSpec spec = description("format_4_series");
  const ModelSpec runs = with_scale_layer(spec);
  ASSERT_EQ(runs.layers.size(), 2u);
  EXPECT_EQ(runs.layers[0], LayerSpec(ScaleSpec{{15.5, 3}, {8, 2}}));
  EXPECT_EQ(runs.layers[1], spec.layers[0]);
  EXPECT_EQ(runs.input, InputSpec(SeriesInput{.features = 2, .names = {"temperature", "wind"}}));
  EXPECT_EQ(with_scale_layer(runs), runs);
  for (const char* plain : {"format_1", "format_2_adding", "format_4_vector"})
    EXPECT_EQ(with_scale_layer(description(plain)), description(plain));
  // It counts as a layer.
  ModelSpec deep;
  deep.input = VectorInput{.features = 1};
  deep.layers.assign(256, ActivationSpec{});
  EXPECT_EQ(features_of(deep).size(), 257u);
  deep.input = VectorInput{.features = 1, .mean = {0}, .std = {1}};
  EXPECT_THROW(features_of(deep), FormatError);
}

}  // namespace
}  // namespace unroll::spec
