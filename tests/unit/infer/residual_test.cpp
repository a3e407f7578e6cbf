// Residual connections and input scaling, against the same sums made by hand of a model's parts.
#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "support/tensors.h"
#include "support/trained.h"
#include "unroll/core/error.h"
#include "unroll/infer/model.h"
#include "unroll/infer/stream.h"

namespace unroll::infer {
namespace {

using test::error_of;

constexpr std::size_t kWidth = 5;

/// Weights for any description, the same for the same name.
template <class T>
class Parts {
 public:
  Model<T> model(std::vector<spec::LayerSpec> layers,
                 const spec::InputSpec& input = spec::SeriesInput{.features = kWidth}) {
    spec::ModelSpec spec;
    spec.input = input;
    spec.layers = std::move(layers);
    std::vector<io::ArrayView> views;
    for (const auto& [name, shape] : spec::weights_of(spec)) {
      auto& tensor = tensors_[name];
      if (!tensor.defined())
        tensor = test::random_tensor(Shape(shape), DTypeOf<T>::value, tensors_.size());
      views.push_back({name, sizeof(T) == 4 ? io::ElementType::f32 : io::ElementType::f64, shape,
                       std::as_bytes(tensor.template values<T>())});
    }
    return Model<T>(spec, views);
  }

 private:
  std::map<std::string, Tensor> tensors_;
};

template <class T>
std::vector<T> run(const Model<T>& model, const std::vector<T>& input, std::size_t batch,
                   std::size_t steps, std::size_t outputs) {
  std::vector<T> out(outputs);
  model.run(input, batch, steps, std::span<T>(out));
  return out;
}

template <class T>
std::vector<T> sum(std::vector<T> a, const std::vector<T>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

const spec::RecurrentSpec kLower{.name = "lower",
                                 .cell = spec::Cell::gru,
                                 .input_size = kWidth,
                                 .hidden_size = kWidth,
                                 .readout = spec::Readout::every_step},
    kUpper{.name = "upper",
           .cell = spec::Cell::lstm,
           .input_size = kWidth,
           .hidden_size = kWidth,
           .num_layers = 2,
           .readout = spec::Readout::every_step};
const spec::ScaleSpec kScale{{0.5, -1, 2, 0, 1.5}, {2}};

/// scale, x + gru(x), x + tanh(linear(lstm(x)))
std::vector<spec::LayerSpec> steps_model() {
  return {kScale,
          kLower,
          spec::ResidualSpec{},
          kUpper,
          spec::LinearSpec{"linear", kWidth, kWidth},
          spec::ActivationSpec{spec::Activation::tanh},
          spec::ResidualSpec{3}};
}

template <class T>
std::vector<T> steps_by_hand(Parts<T>& parts, std::vector<T> x, std::size_t batch,
                             std::size_t steps) {
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = (x[i] - static_cast<T>(kScale.mean[i % kWidth])) / T{2};
  x = sum(x, run(parts.model({kLower}), x, batch, steps, x.size()));
  return sum(x, run(parts.model({kUpper, spec::LinearSpec{"linear", kWidth, kWidth},
                                 spec::ActivationSpec{spec::Activation::tanh}}),
                    x, batch, steps, x.size()));
}

template <class T>
std::vector<T> residual_inputs(std::size_t batch, std::size_t steps) {
  const Tensor x = test::random_tensor(
      {static_cast<std::int64_t>(batch * steps), static_cast<std::int64_t>(kWidth)},
      DTypeOf<T>::value, 7);
  const auto values = x.values<T>();
  return {values.begin(), values.end()};
}

template <class T>
void steps_are_as_by_hand() {
  Parts<T> parts;
  const Model<T> model = parts.model(steps_model());
  // Also more steps than are taken at a time.
  for (const auto& [batch, steps] :
       {std::pair<std::size_t, std::size_t>{1, 1}, {3, 9}, {400, 200}}) {
    const std::vector<T> x = residual_inputs<T>(batch, steps);
    EXPECT_EQ(run(model, x, batch, steps, x.size()), steps_by_hand(parts, x, batch, steps))
        << batch << " of " << steps;
  }
}

TEST(Residual, StepsAreAsByHand) {
  steps_are_as_by_hand<float>();
  steps_are_as_by_hand<double>();
}

TEST(Residual, LengthsAreAsAlone) {
  Parts<float> parts;
  const Model<float> model = parts.model(steps_model());
  const std::vector<float> x = residual_inputs<float>(3, 4);
  const std::vector<std::size_t> lengths = {2, 4, 1};
  std::vector<float> out(x.size());
  model.run(x, 3, 4, std::span<float>(out), lengths);
  for (std::size_t n = 0; n < 3; ++n) {
    const auto first = x.begin() + static_cast<std::ptrdiff_t>(n * 4 * kWidth);
    const std::vector<float> own(first, first + static_cast<std::ptrdiff_t>(lengths[n] * kWidth));
    std::vector<float> expected = run(model, own, 1, lengths[n], own.size());
    expected.resize(4 * kWidth);
    const auto begin = out.begin() + static_cast<std::ptrdiff_t>(n * 4 * kWidth);
    EXPECT_EQ(std::vector<float>(begin, begin + 4 * kWidth), expected) << n;
  }
}

/// Vectors after a readout, and a residual connection around the first of them.
std::vector<spec::LayerSpec> vectors_model() {
  std::vector<spec::LayerSpec> layers = steps_model();
  layers.emplace_back(spec::RecurrentSpec{
      .name = "top", .input_size = kWidth, .hidden_size = kWidth, .readout = spec::Readout::mean});
  layers.emplace_back(kScale);
  layers.emplace_back(spec::LinearSpec{"head", kWidth, kWidth});
  layers.emplace_back(spec::ActivationSpec{spec::Activation::sigmoid});
  layers.emplace_back(spec::ResidualSpec{3});
  return layers;
}

TEST(Residual, StreamHasTheBitsOfRun) {
  Parts<float> parts;
  for (const auto& layers : {steps_model(), vectors_model()}) {
    const Model<float> model = parts.model(layers);
    const std::vector<float> x = residual_inputs<float>(1, 12);
    Stream<float> stream = model.stream();
    std::vector<float> out(kWidth);
    for (std::size_t t = 0; t < 12; ++t) {
      stream.step(std::span(x).subspan(t * kWidth, kWidth), out);
      const std::vector<float> prefix(x.begin(),
                                      x.begin() + static_cast<std::ptrdiff_t>((t + 1) * kWidth));
      const bool each = layers.size() == steps_model().size();
      const auto all = run(model, prefix, 1, t + 1, each ? prefix.size() : kWidth);
      EXPECT_EQ(out, std::vector<float>(all.end() - kWidth, all.end())) << t;
    }
  }
}

TEST(Residual, OfVectorsIsAsByHand) {
  const spec::VectorInput kVector{.features = kWidth};
  Parts<double> parts;
  const spec::LinearSpec head{"head", kWidth, kWidth};
  const auto model = parts.model({head, kScale, spec::ResidualSpec{2}}, kVector);
  const auto alone = parts.model({head}, kVector);
  const std::vector<double> x = residual_inputs<double>(9, 1);
  std::vector<double> y = run(alone, x, 9, 1, x.size());
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = (y[i] - kScale.mean[i % kWidth]) / 2;
  EXPECT_EQ(run(model, x, 9, 1, x.size()), sum(x, y));
}

TEST(Residual, IsRefusedWhereItCantBe) {
  spec::ModelSpec spec;
  spec.input = spec::SeriesInput{.features = kWidth};
  const auto refusal = [&](std::vector<spec::LayerSpec> layers) {
    spec.layers = std::move(layers);
    return error_of<FormatError>([&] { spec::features_of(spec); });
  };
  EXPECT_EQ(refusal({spec::ResidualSpec{}}),
            "[model] layer 1: a residual connection needs a layer before it");
  EXPECT_EQ(refusal({kLower, spec::ResidualSpec{2}}),
            "[model] layer 2: over is 2, expected 1 to 1");
  EXPECT_EQ(refusal({spec::LinearSpec{"fc", kWidth, 4}, spec::ResidualSpec{}}),
            "[model] layer 2: a residual connection adds a sequence of 5 features per step to a "
            "sequence of 4 features per step, expected equal shapes");
  EXPECT_EQ(refusal({spec::ScaleSpec{{1, 2}, {1}}, kLower}),
            "[model] layer 1: its mean has 2 numbers, expected 1, or 5: one for each feature");
  EXPECT_EQ(refusal({spec::ScaleSpec{{1}, {0}}, kLower}),
            "[model] layer 1: a std is 0, expected more than 0");
}

TEST(Residual, TrainingGivesTheSame) {
  for (const auto& layers : {steps_model(), vectors_model()}) {
    spec::ModelSpec spec;
    spec.input = spec::SeriesInput{.features = kWidth};
    spec.layers = layers;
    const test::Both<double> both(spec);
    const std::vector<double> x = residual_inputs<double>(3, 7);
    const Tensor y = both.module(Tensor::from(x, {3, 7, std::int64_t{kWidth}})).contiguous();
    const auto values = y.values<double>();
    EXPECT_EQ(both.run(x, 3, 7), std::vector<double>(values.begin(), values.end()));
  }
}

}  // namespace
}  // namespace unroll::infer
