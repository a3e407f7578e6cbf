#include "train/network.h"

#include <gtest/gtest.h>

#include "support/everything.h"
#include "support/expect_error.h"
#include "support/specs.h"
#include "support/tensors.h"
#include "tensor/tensor_impl.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/nn/loss.h"
#include "unroll/optim/adam.h"

namespace unroll::train {
namespace {

using test::error_of;
using test::everything_spec;

TEST(Network, HasTheWeightsOfItsDescription) {
  const spec::ModelSpec spec = everything_spec();
  Generator generator(1);
  Network network(spec, generator);
  std::map<std::string, spec::Sizes> sizes;
  for (const auto& p : network.parameters())
    sizes[p.name] = {p.value.shape().begin(), p.value.shape().end()};
  EXPECT_EQ(spec::differences(spec, sizes), "");
}

// The first token decides the answer: the recurrent layers must carry it to the end.
TEST(Network, LearnsFromTokensOfUnequalLengths) {
  constexpr std::int64_t kBatch = 24, kSteps = 5;
  const spec::ModelSpec spec = everything_spec();
  Generator generator(2);
  Network network(spec, generator);
  const Tensor tokens = Tensor::zeros({kBatch, kSteps}, DType::i64);
  std::vector<std::int64_t> lengths, classes;
  for (std::int64_t n = 0; n < kBatch; ++n) {
    for (std::int64_t t = 0; t < kSteps; ++t)
      tokens.values<std::int64_t>()[static_cast<std::size_t>(n * kSteps + t)] =
          (n + 5 * t) % test::kTokens;
    lengths.push_back(1 + n % kSteps);
    classes.push_back(n % test::kTokens % 3);
  }
  const Tensor wanted = Tensor::from(classes, {kBatch});
  optim::Adam optimizer(network.parameters(), {.lr = 0.02});
  double first = 0, last = 0;
  for (int step = 0; step < 150; ++step) {
    const Tensor loss = nn::cross_entropy(network(tokens, lengths), wanted);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    (step == 0 ? first : last) = loss.item();
  }
  EXPECT_GT(first, 0.8);  // chance: log 3 = 1.1
  EXPECT_LT(last, 0.1);
  // No layer handed out a pointer to its weights, which would keep all layers packing theirs.
  EXPECT_NE(network.parameters()[0].value.impl()->storage->version(), 0u);
}

// Inputs after a sequence's end change no output and get no gradient.
TEST(Network, LengthsHideWhatIsPastTheEnd) {
  for (const bool bidirectional : {false, true})
    for (const spec::Readout readout :
         {spec::Readout::last, spec::Readout::mean, spec::Readout::max, spec::Readout::mean_last}) {
      const spec::ModelSpec spec = test::recurrent_spec({.cell = spec::Cell::gru,
                                                         .input_size = 3,
                                                         .hidden_size = 4,
                                                         .num_layers = 2,
                                                         .bidirectional = bidirectional,
                                                         .readout = readout},
                                                        2);
      Generator generator(4);
      Network network(spec, generator, {.dtype = DType::f64});
      Tensor x = test::random_tensor({2, 5, 3}, DType::f64, 1);
      Tensor other = x.clone();
      for (std::size_t i = 2 * 3; i < 5 * 3; ++i) other.values<double>()[i] = 100;
      const std::vector<std::int64_t> lengths = {2, 5};
      x.set_requires_grad(true);
      const Tensor y = network(x, lengths);
      EXPECT_EQ(y.to_vector(), network(other, lengths).to_vector());
      EXPECT_NE(y.to_vector(), network(x).to_vector());
      sum(y).backward();
      const auto gradient = x.grad().to_vector();
      for (std::size_t i = 0; i < 15; ++i) EXPECT_EQ(gradient[i] == 0, i >= 2 * 3) << i;
      // The first sequence alone, without lengths.
      const Tensor alone = Tensor::from(
          std::vector<double>(x.values<double>().begin(), x.values<double>().begin() + 6),
          {1, 2, 3});
      const auto short_y = network(alone).to_vector(), long_y = y.to_vector();
      EXPECT_EQ(short_y, std::vector<double>(long_y.begin(), long_y.begin() + 2));
    }
}

TEST(Network, PenaltiesAndChunksTakeLengths) {
  const spec::ModelSpec spec = test::recurrent_spec({.input_size = 3, .hidden_size = 4}, 2);
  Generator generator(4);
  Network network(spec, generator, {.dtype = DType::f64, .ar = 1});
  const Tensor x = test::random_tensor({2, 5, 3}, DType::f64, 1);
  const Tensor alone = Tensor::from(
      std::vector<double>(x.values<double>().begin() + 15, x.values<double>().end()), {1, 5, 3});
  const auto penalty_of = [&](const Tensor& input, std::vector<std::int64_t> lengths) {
    Network::States states;
    std::vector<Tensor> penalties;
    network(input, states, penalties, lengths);
    return penalties.at(0).item();
  };
  // The mean of h^2 over all existing steps: 1 in the first sequence, 5 in the second.
  const Tensor step = Tensor::from(
      std::vector<double>(x.values<double>().begin(), x.values<double>().begin() + 3), {1, 1, 3});
  EXPECT_NEAR(penalty_of(x, {1, 5}), (penalty_of(step, {}) + 5 * penalty_of(alone, {})) / 6, 1e-14);
}

TEST(Network, RefusesLengthsAndTokensThatDoNotFit) {
  Generator generator(1);
  const Network network(everything_spec(), generator);
  const auto run = [&](std::vector<std::int64_t> tokens, std::vector<std::int64_t> lengths) {
    return error_of<Error>([&] { network(Tensor::from(tokens, {2, 2}), lengths); });
  };
  EXPECT_EQ(run({0, 1, 7, 2}, {}), "[embedding] index 7 at element 2, expected 0 to 6");
  EXPECT_NE(run({0, 1, 6, 2}, {1}), "");
  EXPECT_NE(run({0, 1, 6, 2}, {1, 3}), "");
  spec::ModelSpec vectors;
  vectors.input = spec::VectorInput{.features = 2};
  vectors.layers = {spec::LinearSpec{"fc", 2, 2}};
  const Network linear(vectors, generator);
  const std::vector<std::int64_t> lengths = {1, 1};
  EXPECT_EQ(error_of<ShapeError>([&] {
              linear(Tensor::zeros({2, 2}), lengths);
            }),
            "[train] the model reads no sequences, so it takes no lengths");
}

// Dropout is only before layers with matrices, except the first of them.
TEST(Network, DropsOutBetweenLayers) {
  Generator generator(1);
  const Network network(everything_spec(), generator, {.dropout = 0.5});
  // The masks of lower, between, conv, upper, head and fc, and of the two recurrent layers
  // themselves.
  EXPECT_EQ(network.masks().size(), 6u + 2u);
}

}  // namespace
}  // namespace unroll::train
