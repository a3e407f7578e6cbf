#include "export/js.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "support/expect_error.h"
#include "support/specs.h"
#include "unit/export/weights.h"
#include "unroll/core/error.h"

namespace unroll::exporter {
namespace {

using Json = nlohmann::json;
using test::CountedWeights;
using test::error_of;

TEST(JsData, HasTheDescriptionAndLittleEndianWeights) {
  const auto spec = test::rnn_spec(2, 1, 1);
  const Json data = Json::parse(js_data(spec, CountedWeights(spec).views()));
  EXPECT_EQ(spec::from_json(data.at("description").dump()), spec);
  EXPECT_EQ(data.at("weights").size(), 6u);
  // base64.b64encode(numpy.array([1, 2], "<f4"))
  EXPECT_EQ(data.at("weights").at("rnn.weight_ih_l0"),
            (Json{{"shape", {1, 2}}, {"data", "AACAPwAAAEA="}}));
  EXPECT_FALSE(data.contains("order"));
}

// base64.b64encode(numpy.arange(1, 1000001, dtype="<f4"))
TEST(JsData, LongWeightsHaveNoGap) {
  spec::ModelSpec spec;
  spec.input = spec::VectorInput{.features = 1000};
  spec.layers = {spec::LinearSpec{"fc", 1000, 1000, false}};
  const Json data = Json::parse(js_data(spec, CountedWeights(spec).views()));
  const auto& text = data.at("weights").at("fc.weight").at("data").get_ref<const std::string&>();
  ASSERT_EQ(text.size(), 5333336u);
  EXPECT_EQ(text.substr(0, 16), "AACAPwAAAEAAAEBA");
  EXPECT_EQ(text.substr(text.size() - 16), "dEnwI3RJACR0SQ==");
}

TEST(JsData, APermutedModelHasTheOrderOfItsPixels) {
  spec::ModelSpec spec = test::recurrent_spec({.input_size = 1, .hidden_size = 2}, 3);
  spec.input =
      spec::ImageInput{.form = spec::Form::pixels, .height = 3, .width = 4, .permutation = 7};
  auto order =
      Json::parse(js_data(spec, CountedWeights(spec).views())).at("order").get<std::vector<int>>();
  EXPECT_FALSE(std::ranges::is_sorted(order));
  std::ranges::sort(order);
  std::vector<int> all(12);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(order, all);
}

TEST(JsModule, ErrorsNameTheReason) {
  const auto spec = test::rnn_spec(2, 3, 4);
  const CountedWeights weights(spec);
  auto views = weights.views();
  views.pop_back();
  EXPECT_EQ(error_of<FormatError>([&] { js_module(spec, views); }), "[export] fc.bias is missing");

  const float nan[4] = {0, 1, std::numeric_limits<float>::quiet_NaN(), 2};
  views = weights.views();
  views.back().data = std::as_bytes(std::span(nan));
  EXPECT_EQ(error_of<FormatError>([&] { js_module(spec, views); }),
            "[export] fc.bias: element 2 is nan in f32, expected a finite number");

  spec::ModelSpec large;
  large.input = spec::VectorInput{.features = 10000};
  large.layers = {spec::LinearSpec{"a", 10000, 9000}, spec::LinearSpec{"b", 9000, 9000}};
  EXPECT_EQ(error_of<ValueError>([&] { js_module(large, {}); }),
            "[export] --format js holds at most 96000000 weights, but this model has more; export "
            "it as onnx");
}

}  // namespace
}  // namespace unroll::exporter
