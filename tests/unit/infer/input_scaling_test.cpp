// The scaling of a series' or a vector's features is part of a model.
#include <gtest/gtest.h>

#include "support/tensors.h"
#include "unroll/infer/model.h"
#include "unroll/infer/stream.h"

namespace unroll::infer {
namespace {

const std::vector<double> kMean = {0.5, -1, 20}, kStd = {2, 0.25, 8};

/// The same weights for every description.
Model<float> model(const spec::ModelSpec& spec) {
  std::vector<Tensor> tensors;
  std::vector<io::ArrayView> views;
  for (const auto& [name, shape] : spec::weights_of(spec)) {
    tensors.push_back(test::random_tensor(Shape(shape), DType::f32, tensors.size() + 1));
    views.push_back({name, io::ElementType::f32, shape,
                     std::as_bytes(std::as_const(tensors.back()).values<float>())});
  }
  return Model<float>(spec, views);
}

std::vector<float> random_inputs(std::int64_t count) {
  std::vector<float> inputs;
  for (const double v : test::random_tensor({count}, DType::f32, 9).to_vector())
    inputs.push_back(static_cast<float>(v) * 30);
  return inputs;
}

std::vector<float> scaled(std::vector<float> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    inputs[i] = (inputs[i] - static_cast<float>(kMean[i % 3])) / static_cast<float>(kStd[i % 3]);
  return inputs;
}

TEST(InputScaling, OfASeriesIsDoneAtEveryStep) {
  spec::ModelSpec plain;
  plain.input = spec::SeriesInput{.features = 3};
  plain.layers = {spec::RecurrentSpec{.name = "gru",
                                      .cell = spec::Cell::gru,
                                      .input_size = 3,
                                      .hidden_size = 4,
                                      .readout = spec::Readout::every_step},
                  spec::LinearSpec{"fc", 4, 2}};
  spec::ModelSpec scaling = plain;
  scaling.input = spec::SeriesInput{.features = 3, .mean = kMean, .std = kStd};

  const std::vector<float> x = random_inputs(2 * 5 * 3);
  std::vector<float> expected(2 * 5 * 2), got(expected.size()), streamed(5 * 2);
  model(plain).run(scaled(x), 2, 5, std::span<float>(expected));
  const Model<float> one = model(scaling);
  EXPECT_EQ(one.description(), scaling);
  EXPECT_EQ(one.inputs(), 3u);
  one.run(x, 2, 5, std::span<float>(got));
  EXPECT_EQ(got, expected);
  one.stream().process(std::span(x).first(5 * 3), streamed, 5);
  EXPECT_EQ(streamed, std::vector<float>(expected.begin(), expected.begin() + 5 * 2));
}

TEST(InputScaling, OfAVector) {
  spec::ModelSpec plain;
  plain.input = spec::VectorInput{.features = 3};
  plain.layers = {spec::LinearSpec{"fc", 3, 2}};
  spec::ModelSpec scaling = plain;
  scaling.input = spec::VectorInput{.features = 3, .mean = kMean, .std = kStd};
  const std::vector<float> x = random_inputs(7 * 3);
  std::vector<float> expected(7 * 2), got(expected.size());
  model(plain).run(scaled(x), 7, 1, std::span<float>(expected));
  model(scaling).run(x, 7, 1, std::span<float>(got));
  EXPECT_EQ(got, expected);
}

}  // namespace
}  // namespace unroll::infer
