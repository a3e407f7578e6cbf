// Layers that work on each row by itself, in whole sequences, vectors and streams.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "nn/model_file.h"
#include "support/everything.h"
#include "support/expect_error.h"
#include "support/tensors.h"
#include "support/trained.h"
#include "unroll/c.h"
#include "unroll/core/error.h"
#include "unroll/infer/model.h"
#include "unroll/infer/stream.h"

namespace unroll::infer {
namespace {

using test::Both;
using test::error_of;
using test::everything_spec;
using test::some_tokens;

template <class T>
class RowStages : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(RowStages, Types);

spec::ModelSpec embedding_spec() {
  spec::ModelSpec spec;
  spec.input = spec::TokenInput{.tokens = 4};
  spec.layers = {spec::EmbeddingSpec{"words", 4, 3}};
  return spec;
}

/// Row i of its weight is 10 i, 10 i + 1, 10 i + 2.
template <class T>
Model<T> embedding_model() {
  const Tensor weight = Tensor::zeros({4, 3}, DTypeOf<T>::value);
  for (std::size_t i = 0; i < 12; ++i) weight.values<T>()[i] = static_cast<T>(10 * (i / 3) + i % 3);
  const Parameters parameters = {{"words.weight", weight}};
  return {embedding_spec(), nn::views_of(parameters)};
}

TYPED_TEST(RowStages, AnEmbeddingGivesTheRowsOfItsWeight) {
  using T = TypeParam;
  const Model<T> model = embedding_model<T>();
  EXPECT_EQ(model.inputs(), 1u);
  std::vector<T> out(2 * 2 * 3);
  const std::vector<T> in = {3, 0, 1, 2};
  model.run(in, 2, 2, std::span<T>(out));
  EXPECT_EQ(out, (std::vector<T>{30, 31, 32, 0, 1, 2, 10, 11, 12, 20, 21, 22}));
  // Past the end of a sequence may stand what is no token.
  const std::vector<T> short_in = {2, std::numeric_limits<T>::quiet_NaN(), 1, -7};
  const std::vector<std::size_t> lengths = {1, 1};
  model.run(short_in, 2, 2, std::span<T>(out), lengths);
  EXPECT_EQ(out, (std::vector<T>{20, 21, 22, 0, 0, 0, 10, 11, 12, 0, 0, 0}));
}

TYPED_TEST(RowStages, WhatIsNoTokenIsRefused) {
  using T = TypeParam;
  const Model<T> model = embedding_model<T>();
  Stream<T> stream = model.stream();
  std::vector<T> out(2 * 3);
  stream.step(std::vector<T>{2});
  for (const T wrong : {T(-1), T(4), T(0.5), T(1e30), std::numeric_limits<T>::infinity(),
                        std::numeric_limits<T>::quiet_NaN()}) {
    const std::vector<T> in = {1, wrong};
    const std::string text = error_of<ValueError>([&] { model.run(in, 1, 2, std::span<T>(out)); });
    EXPECT_TRUE(text.starts_with("[infer] input 1 is ")) << text;
    EXPECT_TRUE(text.ends_with(", expected a token: a whole number from 0 to 3")) << text;
    EXPECT_EQ(error_of<ValueError>([&] { stream.process(in, out, 2); }), text);
  }
  EXPECT_EQ(error_of<ValueError>([&] { stream.step(std::vector<T>{T(2.5)}); }),
            "[infer] input 0 is 2.5, expected a token: a whole number from 0 to 3");
  // The second sequence's second step.
  const std::vector<T> two = {0, 1, 2, 9};
  std::vector<T> room(2 * 2 * 3);
  EXPECT_EQ(error_of<ValueError>([&] { model.run(two, 2, 2, std::span<T>(room)); }),
            "[infer] input 3 is 9, expected a token: a whole number from 0 to 3");
  // A refused step changed nothing.
  std::vector<T> last(3);
  stream.outputs(last);
  EXPECT_EQ(last, (std::vector<T>{20, 21, 22}));
}

TEST(Embedding, InCWhatIsNoTokenIsRefused) {
  const Tensor weight = Tensor::full({4, 3}, 1, DType::f32);
  const std::vector<std::byte> file = nn::model_bytes(embedding_spec(), {{"words.weight", weight}});
  unroll_model* const model = unroll_model_load_memory(file.data(), file.size());
  ASSERT_TRUE(model) << unroll_last_error();
  unroll_stream* const stream = unroll_stream_new(model, 1);
  ASSERT_TRUE(stream) << unroll_last_error();
  float in[2] = {3, 1.5}, out[6] = {};
  const char* const text = "[infer] input 1 is 1.5, expected a token: a whole number from 0 to 3";
  EXPECT_EQ(unroll_stream_process(stream, in, 2, out, 6, 2), UNROLL_ERROR_VALUE);
  EXPECT_STREQ(unroll_last_error(), text);
  EXPECT_EQ(unroll_model_run(model, in, 2, 1, 2, nullptr, out, 6), UNROLL_ERROR_VALUE);
  EXPECT_STREQ(unroll_last_error(), text);
  EXPECT_EQ(unroll_stream_step(stream, in + 1, 1, nullptr, 0), UNROLL_ERROR_VALUE);
  EXPECT_EQ(unroll_stream_step(stream, in, 1, out, 3), UNROLL_OK);
  EXPECT_EQ(out[0], 1);
  unroll_stream_free(stream);
  unroll_model_free(model);
}

/// (x - mean) / sqrt(variance + eps) weight + bias of one row, in long double.
std::vector<double> normalised(std::span<const double> x, double eps,
                               std::span<const double> weight, std::span<const double> bias) {
  long double mean = 0, variance = 0;
  for (const double v : x) mean += v;
  mean /= static_cast<long double>(x.size());
  for (const double v : x) variance += (v - mean) * (v - mean);
  variance /= static_cast<long double>(x.size());
  std::vector<double> y;
  for (std::size_t i = 0; i < x.size(); ++i)
    y.push_back(static_cast<double>((x[i] - mean) / std::sqrt(variance + eps) *
                                        (weight.empty() ? 1 : weight[i]) +
                                    (bias.empty() ? 0 : bias[i])));
  return y;
}

TYPED_TEST(RowStages, LayerNormIsItsFormula) {
  using T = TypeParam;
  constexpr std::size_t kFeatures = 9, kRows = 40;
  for (const bool affine : {true, false})
    for (const bool bias : {true, false})
      for (const bool vectors : {true, false}) {
        spec::ModelSpec spec;
        if (vectors)
          spec.input = spec::VectorInput{.features = kFeatures};
        else
          spec.input = spec::SeriesInput{.features = kFeatures};
        spec.layers = {spec::LayerNormSpec{"norm", kFeatures, 1e-2, affine, bias}};
        const Tensor x = test::random_tensor({kRows, kFeatures}, DTypeOf<T>::value, 1),
                     w = test::random_tensor({kFeatures}, DTypeOf<T>::value, 2),
                     b = test::random_tensor({kFeatures}, DTypeOf<T>::value, 3);
        Parameters parameters;
        if (affine) parameters.push_back({"norm.weight", w});
        if (affine && bias) parameters.push_back({"norm.bias", b});
        const Model<T> model(spec, nn::views_of(parameters));
        std::vector<T> out(kRows * kFeatures);
        model.run(x.values<T>(), vectors ? kRows : 4, vectors ? 1 : kRows / 4, std::span<T>(out));
        const auto xs = x.to_vector(), ws = w.to_vector(), bs = b.to_vector();
        using Span = std::span<const double>;
        for (std::size_t n = 0; n < kRows; ++n) {
          const auto expected =
              normalised(Span(xs).subspan(n * kFeatures, kFeatures), 1e-2,
                         affine ? Span(ws) : Span(), affine && bias ? Span(bs) : Span());
          for (std::size_t j = 0; j < kFeatures; ++j)
            EXPECT_NEAR(out[n * kFeatures + j], expected[j], sizeof(T) == 4 ? 1e-6 : 1e-14);
        }
      }
}

TYPED_TEST(RowStages, GiveWhatTrainingGives) {
  using T = TypeParam;
  constexpr std::size_t kBatch = 5, kSteps = 9;
  for (const spec::Readout readout : {spec::Readout::mean_last, spec::Readout::every_step}) {
    const Both<T> both(everything_spec(readout));
    const std::vector<T> in = some_tokens<T>(kBatch * kSteps);
    const Tensor tokens = Tensor::from(some_tokens<std::int64_t>(kBatch * kSteps),
                                       {std::int64_t{kBatch}, std::int64_t{kSteps}});
    const std::vector<std::int64_t> lengths = {9, 2, 1, 5, 9};
    const std::vector<std::size_t> same(lengths.begin(), lengths.end());
    const auto expected = both.module(tokens).contiguous();
    const auto values = expected.template values<T>();
    EXPECT_EQ(both.run(in, kBatch, kSteps), std::vector<T>(values.begin(), values.end()));
    // And with lengths, but for what stands past the end.
    const auto ragged = both.module(tokens, lengths).contiguous();
    const std::vector<T> run = both.run(in, kBatch, kSteps, same);
    const std::size_t rows = run.size() / kBatch / 3;
    for (std::size_t n = 0; n < kBatch; ++n)
      for (std::size_t t = 0; t < (rows == 1 ? 1 : same[n]); ++t)
        for (std::size_t j = 0; j < 3; ++j)
          EXPECT_EQ(run[(n * rows + t) * 3 + j],
                    ragged.template values<T>()[(n * rows + t) * 3 + j])
              << n << " " << t << " " << j;
  }
}

TYPED_TEST(RowStages, AStreamHasTheBitsOfRun) {
  using T = TypeParam;
  constexpr std::size_t kSteps = 12, kCount = 3;
  for (const spec::Readout readout : {spec::Readout::mean_last, spec::Readout::every_step}) {
    const Both<T> both(everything_spec(readout));
    // Three sequences in a stream, (T, N); run takes (N, T).
    const std::vector<T> in = some_tokens<T>(kSteps * kCount);
    std::vector<T> out(kSteps * kCount * 3);
    both.model.stream(kCount).process(in, out, kSteps);
    for (std::size_t n = 0; n < kCount; ++n)
      for (std::size_t t = 0; t < kSteps; ++t) {
        std::vector<T> prefix;
        for (std::size_t s = 0; s <= t; ++s) prefix.push_back(in[s * kCount + n]);
        const auto all = both.run(prefix, 1, t + 1);
        const auto first = out.begin() + static_cast<std::ptrdiff_t>((t * kCount + n) * 3);
        EXPECT_EQ(std::vector<T>(first, first + 3), std::vector<T>(all.end() - 3, all.end()))
            << n << " " << t;
      }
  }
}

}  // namespace
}  // namespace unroll::infer
