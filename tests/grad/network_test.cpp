// A whole network against finite differences: each of its layers, unequal lengths, and what a
// residual connection carries past them.
#include "train/network.h"

#include <gtest/gtest.h>

#include "support/everything.h"
#include "support/gradcheck.h"
#include "support/tensors.h"

namespace unroll::train {
namespace {

constexpr std::int64_t kBatch = 4, kSteps = 6;

/// The gradients of all parameters, and of the inputs where they are numbers.
void check(const spec::ModelSpec& spec, Tensor inputs, std::vector<std::int64_t> lengths) {
  Generator generator(3);
  Network network(spec, generator, {.dtype = DType::f64});
  std::vector<Tensor> leaves;
  for (const auto& parameter : network.parameters()) {
    // Weights of norms start as ones, and biases as zeros.
    generator.uniform(parameter.value.values<double>(), -0.8, 0.9);
    leaves.push_back(parameter.value);
  }
  if (inputs.dtype() == DType::f64) leaves.push_back(inputs.set_requires_grad(true));
  EXPECT_TRUE(test::gradients_agree(
      [&] {
        const Tensor y = network(inputs, lengths);
        // Steps past a sequence's end mean nothing.
        return y.rank() == 3 ? y.select(1, 0) : y;
      },
      leaves));
}

Tensor tokens() {
  return Tensor::from(test::some_tokens<std::int64_t>(kBatch * kSteps), {kBatch, kSteps});
}

TEST(NetworkGradient, OfEveryLayer) {
  for (const spec::Readout readout : {spec::Readout::last, spec::Readout::mean_last,
                                      spec::Readout::max, spec::Readout::every_step}) {
    check(test::everything_spec(readout), tokens(), {});
    check(test::everything_spec(readout), tokens(), {3, 6, 1, 4});
  }
}

TEST(NetworkGradient, OfNumbersThatAreScaledAndAdded) {
  spec::ModelSpec spec;
  spec.input = spec::SeriesInput{.features = 3};
  spec.layers = {spec::ScaleSpec{{0.3, -1, 2}, {0.5, 2, 1.5}},
                 spec::RecurrentSpec{.name = "gru",
                                     .cell = spec::Cell::gru,
                                     .input_size = 3,
                                     .hidden_size = 3,
                                     .readout = spec::Readout::every_step},
                 spec::ResidualSpec{2},  // x as it came in
                 spec::ResidualSpec{2},  // x once more, and the layer's output
                 spec::RecurrentSpec{.name = "both",
                                     .cell = spec::Cell::lstm,
                                     .input_size = 3,
                                     .hidden_size = 2,
                                     .bidirectional = true},
                 spec::LinearSpec{"fc", 4, 2}};
  const Tensor x = test::random_tensor({kBatch, kSteps, 3}, DType::f64, 5);
  check(spec, x.clone(), {});
  check(spec, x.clone(), {2, 1, 6, 5});
}

TEST(NetworkGradient, OfVectors) {
  spec::ModelSpec spec;
  spec.input = spec::VectorInput{.features = 4};
  spec.layers = {spec::LayerNormSpec{.name = "norm", .features = 4}, spec::LinearSpec{"one", 4, 4},
                 spec::ActivationSpec{spec::Activation::tanh}, spec::ResidualSpec{3},
                 spec::LinearSpec{"two", 4, 2}};
  check(spec, test::random_tensor({kBatch, 4}, DType::f64, 5), {});
}

}  // namespace
}  // namespace unroll::train
