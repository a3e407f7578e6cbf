#include "train/look.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "nn/batch_gradient.h"
#include "support/specs.h"
#include "support/tensors.h"
#include "train/chunks.h"
#include "train/network.h"
#include "train/objective.h"
#include "train/observer.h"
#include "train/states.h"
#include "train/unstacked.h"
#include "unroll/core/random.h"

namespace unroll::train {
namespace {

constexpr std::int64_t kBatch = 3, kSteps = 7, kInputs = 4, kHidden = 5, kClasses = 2;

struct LookCase {
  spec::ModelSpec spec;
  Generator generator{3};
  mutable Network network;  // its parameters are not const
  data::Examples batch;
  Objective objective;

  explicit LookCase(const spec::ModelSpec& description)
      : spec(description),
        network(spec, generator, {.dtype = DType::f64}),
        objective({.kind = data::TargetSpec::Kind::classes, .size = kClasses},
                  spec::Output::logits) {
    batch.inputs = Tensor::empty({kBatch, kSteps, kInputs}, DType::f64);
    generator.normal(batch.inputs.values<double>(), 0, 1);
    batch.targets = Tensor::from(std::vector<std::int64_t>{0, 1, 1}, {kBatch});
  }
  Inside look(const Updates& updates = {}) const {
    return look_inside(spec, network.parameters(), updates, batch, objective);
  }
  std::span<const double> weight(const std::string& name) const {
    for (const Parameter& p : network.parameters())
      if (p.name == name) return p.value.values<double>();
    throw std::runtime_error(name);
  }
};

using Matrix = std::vector<std::vector<double>>;  // (rows of a batch, units)

/// Stacked tanh layers and a readout of the last state, with back-propagation through time, in
/// plain loops.
struct PlainLoops {
  std::vector<std::vector<Matrix>> states;          // of each layer: h_1 to h_T
  std::vector<std::vector<double>> gradient_norms;  // of each layer: ||dL/dh_t||

  explicit PlainLoops(const LookCase& c, std::size_t layers = 1) : states(layers) {
    std::vector<Matrix> below(kSteps, Matrix(kBatch, std::vector<double>(kInputs)));
    for (std::size_t t = 0; t < kSteps; ++t)
      for (std::size_t n = 0; n < kBatch; ++n)
        for (std::size_t i = 0; i < kInputs; ++i)
          below[t][n][i] = c.batch.inputs.values<double>()[(n * kSteps + t) * kInputs + i];
    for (std::size_t l = 0; l < layers; ++l) below = states[l] = run_layer(c, l, below);

    // dL/dh_t by what lies above: the readout, or the next layer.
    std::vector<Matrix> from_above(kSteps, Matrix(kBatch, std::vector<double>(kHidden, 0)));
    from_above.back() = readout_gradient(c, states.back().back());
    gradient_norms.resize(layers);
    for (std::size_t l = layers; l-- > 0;) from_above = back_through(c, l, from_above);
  }

 private:
  static std::string end(std::size_t l) { return "_l" + std::to_string(l); }

  static std::vector<Matrix> run_layer(const LookCase& c, std::size_t l,
                                       const std::vector<Matrix>& inputs) {
    const auto w_ih = c.weight("rnn.weight_ih" + end(l)), w_hh = c.weight("rnn.weight_hh" + end(l)),
               b_ih = c.weight("rnn.bias_ih" + end(l)), b_hh = c.weight("rnn.bias_hh" + end(l));
    const std::size_t width = inputs[0][0].size();
    std::vector<Matrix> all;
    Matrix h(kBatch, std::vector<double>(kHidden, 0));
    for (const Matrix& x : inputs) {
      const Matrix before = h;
      for (std::size_t n = 0; n < kBatch; ++n)
        for (std::size_t j = 0; j < kHidden; ++j) {
          double sum = b_ih[j] + b_hh[j];
          for (std::size_t i = 0; i < width; ++i) sum += w_ih[j * width + i] * x[n][i];
          for (std::size_t k = 0; k < kHidden; ++k) sum += w_hh[j * kHidden + k] * before[n][k];
          h[n][j] = std::tanh(sum);
        }
      all.push_back(h);
    }
    return all;
  }

  static Matrix readout_gradient(const LookCase& c, const Matrix& h) {
    const auto w = c.weight("fc.weight"), b = c.weight("fc.bias");
    const auto labels = c.batch.targets.values<std::int64_t>();
    Matrix g(kBatch, std::vector<double>(kHidden, 0));
    for (std::size_t n = 0; n < kBatch; ++n) {
      std::vector<double> p(kClasses);
      for (std::size_t k = 0; k < kClasses; ++k) {
        p[k] = b[k];
        for (std::size_t j = 0; j < kHidden; ++j) p[k] += w[k * kHidden + j] * h[n][j];
        p[k] = std::exp(p[k]);
      }
      const double sum = std::accumulate(p.begin(), p.end(), 0.0);
      for (std::size_t k = 0; k < kClasses; ++k) {
        const double d = (p[k] / sum - (labels[n] == static_cast<std::int64_t>(k))) / kBatch;
        for (std::size_t j = 0; j < kHidden; ++j) g[n][j] += d * w[k * kHidden + j];
      }
    }
    return g;
  }

  /// Notes the norms of layer l. Returns dL/dh_t of the layer below.
  std::vector<Matrix> back_through(const LookCase& c, std::size_t l,
                                   const std::vector<Matrix>& from_above) {
    const auto w_ih = c.weight("rnn.weight_ih" + end(l)), w_hh = c.weight("rnn.weight_hh" + end(l));
    const std::size_t width = l == 0 ? kInputs : kHidden;
    std::vector<Matrix> to_below(kSteps, Matrix(kBatch, std::vector<double>(width, 0)));
    Matrix later(kBatch, std::vector<double>(kHidden, 0));
    gradient_norms[l].resize(kSteps);
    for (std::size_t t = kSteps; t-- > 0;) {
      double squares = 0;
      Matrix earlier(kBatch, std::vector<double>(kHidden, 0));
      for (std::size_t n = 0; n < kBatch; ++n)
        for (std::size_t j = 0; j < kHidden; ++j) {
          const double g = from_above[t][n][j] + later[n][j], h = states[l][t][n][j];
          squares += g * g;
          for (std::size_t k = 0; k < kHidden; ++k)
            earlier[n][k] += g * (1 - h * h) * w_hh[j * kHidden + k];
          for (std::size_t i = 0; i < width; ++i)
            to_below[t][n][i] += g * (1 - h * h) * w_ih[j * width + i];
        }
      gradient_norms[l][t] = std::sqrt(squares);
      later = earlier;
    }
    return to_below;
  }
};

LookCase tanh_case() {
  return LookCase(test::rnn_spec(kInputs, kHidden, kClasses, 1, Nonlinearity::tanh));
}

TEST(Look, GradientOfEachTimeStepIsThatOfPlainLoops) {
  const LookCase c = tanh_case();
  const PlainLoops loops(c);
  const Inside inside = c.look();
  EXPECT_EQ(inside.rows, kBatch);
  EXPECT_EQ(inside.times, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7}));
  ASSERT_EQ(inside.layers.size(), 2u);
  EXPECT_EQ(inside.layers[0].name, "rnn");
  EXPECT_EQ(inside.layers[1].name, "fc");
  ASSERT_EQ(inside.layers[0].gradient.size(), std::size_t{kSteps});
  for (std::size_t t = 0; t < kSteps; ++t)
    EXPECT_NEAR(inside.layers[0].gradient[t], loops.gradient_norms[0][t], 1e-14) << t;
  EXPECT_TRUE(inside.layers[1].gradient.empty());
}

TEST(Look, SpreadOfStatesIsThatOfPlainLoops) {
  const LookCase c = tanh_case();
  double sum = 0, squares = 0, largest = 0;
  const PlainLoops loops(c);
  for (const Matrix& h : loops.states[0])
    for (const auto& row : h)
      for (const double v : row) {
        sum += v;
        squares += v * v;
        largest = std::max(largest, std::abs(v));
      }
  const double n = kBatch * kSteps * kHidden, mean = sum / n;
  const Spread spread = c.look().layers[0].activations.value();
  EXPECT_NEAR(spread.mean, mean, 1e-14);
  EXPECT_NEAR(spread.deviation, std::sqrt(squares / n - mean * mean), 1e-14);
  EXPECT_NEAR(spread.largest, largest, 1e-14);
}

TEST(Look, StatesAreThoseOfPlainLoops) {
  const LookCase c = tanh_case();
  const auto states = states_of(c.spec, c.network.parameters(), c.batch.inputs);
  ASSERT_EQ(states.size(), 1u);
  const Tensor& h = states.at("rnn");
  ASSERT_EQ(h.shape(), (Shape{kBatch, kSteps, kHidden}));
  const PlainLoops loops(c);
  for (std::size_t n = 0; n < kBatch; ++n)
    for (std::size_t t = 0; t < kSteps; ++t)
      for (std::size_t j = 0; j < kHidden; ++j)
        EXPECT_NEAR(h.values<double>()[(n * kSteps + t) * kHidden + j], loops.states[0][t][n][j],
                    1e-14);
}

TEST(Look, StackedLayersHaveGradientsOfTheirOwn) {
  constexpr std::size_t kLayers = 3;
  const LookCase c(test::rnn_spec(kInputs, kHidden, kClasses, kLayers, Nonlinearity::tanh));
  const PlainLoops loops(c, kLayers);
  const Inside inside = c.look();
  ASSERT_EQ(inside.layers.size(), kLayers + 1);
  for (std::size_t l = 0; l < kLayers; ++l) {
    EXPECT_EQ(inside.layers[l].name, "rnn l" + std::to_string(l));
    ASSERT_EQ(inside.layers[l].gradient.size(), std::size_t{kSteps});
    for (std::size_t t = 0; t < kSteps; ++t)
      EXPECT_NEAR(inside.layers[l].gradient[t], loops.gradient_norms[l][t], 1e-14) << l << " " << t;
  }
  const auto states = states_of(c.spec, c.network.parameters(), c.batch.inputs);
  const Tensor& top = states.at("rnn l2");
  EXPECT_NEAR(top.values<double>().back(), loops.states[2].back().back().back(), 1e-14);
}

TEST(Look, TakesTheLastStepsOfAChunk) {
  LookCase c = tanh_case();
  const Inside inside = look_inside(c.spec, c.network.parameters(), {}, c.batch, c.objective, 3);
  EXPECT_EQ(inside.times, (std::vector<std::int64_t>{5, 6, 7}));
  c.batch.inputs = steps_of(c.batch.inputs, 4, 3);  // from a zero state
  EXPECT_EQ(inside.layers[0].gradient, c.look().layers[0].gradient);
}

TEST(Look, UpdatesAreDifferencesOfWeights) {
  const LookCase c = tanh_case();
  Parameters before = c.network.parameters(), after = c.network.parameters();
  double updates = 0, weights = 0;
  for (Parameter& p : before) {
    p.value = p.value.detach().clone();
    for (double& v : p.value.values<double>()) {
      if (!p.name.starts_with("rnn")) continue;
      weights += v * v * 0.25;
      updates += v * v * 0.25;
      v *= 0.5;
    }
  }
  const Inside inside = c.look({before, after, 1});
  EXPECT_NEAR(inside.layers[0].moved.value(), std::sqrt(updates / weights), 1e-12);  // 1
  EXPECT_EQ(inside.layers[1].moved.value(), 0);
  EXPECT_FALSE(c.look().layers[0].moved.has_value());
}

TEST(Look, DeadUnitsAreThoseThatGiveOnlyZeros) {
  LookCase c(test::rnn_spec(kInputs, kHidden, kClasses, 1, Nonlinearity::relu));
  for (const Parameter& p : c.network.parameters())
    if (p.name == "rnn.bias_ih_l0")  // two of five units are always below zero
      for (const std::size_t unit : {1u, 4u}) p.value.values<double>()[unit] = -1000;
  EXPECT_NEAR(c.look().layers[0].dead.value(), 0.4, 1e-15);
}

TEST(Look, EqualOutputsHaveNoSpread) {
  const LookCase c = tanh_case();
  EXPECT_GT(c.look().output_spread.value(), 0.01);
  for (const Parameter& p : c.network.parameters())
    if (p.name == "fc.weight") std::ranges::fill(p.value.values<double>(), 0.0);
  EXPECT_EQ(c.look().output_spread.value(), 0);
}

TEST(Look, TakesTheLongestOfUnequalSequences) {
  LookCase c = tanh_case();
  c.batch.lengths = {kSteps, kSteps, 4};
  EXPECT_EQ(c.look().rows, 2);
}

TEST(Look, ChangesNoWeightAndNoGradient) {
  const LookCase c = tanh_case();
  const std::vector<Tensor> before = [&] {
    std::vector<Tensor> all;
    for (const Parameter& p : c.network.parameters()) all.push_back(p.value.detach().clone());
    return all;
  }();
  c.look();
  const Parameters after = c.network.parameters();
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(after[i].value.values<double>(), before[i].values<double>()));
    EXPECT_FALSE(after[i].value.grad().defined());
  }
}

TEST(Look, AnObserverChangesNoOutput) {
  struct Silent : Observer {
    void output(const std::string&, const Tensor&) override {}
    void activated(const std::string&, const Tensor&, bool) override {}
    Tensor states(const std::string&, std::int64_t, const Tensor& h, bool) override { return h; }
  };
  for (const spec::Cell cell : {spec::Cell::rnn, spec::Cell::lstm, spec::Cell::gru})
    for (const auto readout :
         {spec::Readout::last, spec::Readout::mean, spec::Readout::max, spec::Readout::mean_last})
      for (const bool both : {false, true}) {
        const LookCase c(test::recurrent_spec({.cell = cell,
                                               .input_size = kInputs,
                                               .hidden_size = kHidden,
                                               .num_layers = 2,
                                               .bidirectional = both,
                                               .layer_norm = true,
                                               .learn_initial_state = true,
                                               .readout = readout},
                                              kClasses));
        Silent silent;
        const Unstacked one = unstacked(c.spec, c.network.parameters());
        Generator generator(9);
        Network network(one.spec, generator, {.dtype = DType::f64});
        network.load(one.weights);
        const Tensor plain = c.network(c.batch.inputs), heard = network(c.batch.inputs, silent);
        for (std::size_t i = 0; i < plain.values<double>().size(); ++i)
          EXPECT_NEAR(heard.values<double>()[i], plain.values<double>()[i], 1e-13);
      }
}

}  // namespace
}  // namespace unroll::train
