// A layer keeps its packed weights between calls. No call may use those of other weights, whoever
// wrote them.
#include "nn/packed_weights.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nn/flat_parameters.h"
#include "support/tensors.h"
#include "tensor/tensor_impl.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/autograd/ops.h"
#include "unroll/nn/cells.h"
#include "unroll/nn/init.h"
#include "unroll/nn/lstm.h"
#include "unroll/optim/muon.h"
#include "unroll/optim/sgd.h"

namespace unroll::nn {
namespace {

const LstmOptions options{.num_layers = 2, .bidirectional = true};

/// What a layer with these weights computes that never computed before.
std::vector<std::uint64_t> fresh_output(const Lstm& like, const Tensor& x) {
  Lstm fresh(3, 4, options);
  for (std::size_t at = 0; at < like.layers().size(); ++at)
    for (const WeightRole role : all_weight_roles)
      if (const Tensor& weight = like.layers()[at][role]; weight.defined())
        copy_into(fresh.layers()[at][role], weight);
  return test::bits_of(fresh(x).output);
}

TEST(PackedWeights, NoCallUsesOldOnes) {
  using Write = std::function<void(Lstm&, const Tensor& x)>;
  float* taken = nullptr;
  const auto first = [](Lstm& lstm) { return lstm.layers()[0][WeightRole::weight_ih]; };
  const auto step = [](Lstm& lstm, const Tensor& x, optim::Optimizer&& optimizer) {
    sum(lstm(x).output).backward();
    optimizer.step();
  };
  // In this order, on one layer: once a pointer was handed out, nothing is kept.
  const std::vector<std::pair<std::string, Write>> writes = {
      {"init", [&](Lstm& l, const Tensor&) { init::constant(first(l), 0.25); }},
      {"parameters() moves them", [](Lstm& l, const Tensor&) { l.parameters(); }},
      {"sgd",
       [&](Lstm& l, const Tensor& x) { step(l, x, optim::Sgd(l.parameters(), {.lr = 0.1})); }},
      {"muon", [&](Lstm& l, const Tensor& x) { step(l, x, optim::Muon(l.parameters())); }},
      {"load", [](Lstm& l, const Tensor&) { l.load(Lstm(3, 4, options).parameters()); }},
      {"buffer",
       [](Lstm& l, const Tensor&) {
         const FlatParameters flat(l.parameters());
         copy_into(flat.values(), Tensor::full(flat.values().shape(), 0.125));
       }},
      {"part of a view",
       [&](Lstm& l, const Tensor&) { init::constant(first(l).detach().select(0, 2), -1); }},
      {"values", [&](Lstm& l, const Tensor&) { first(l).values<float>()[5] = 2; }},
      {"take a pointer", [&](Lstm& l, const Tensor&) { taken = first(l).data<float>(); }},
      {"write through it", [&](Lstm&, const Tensor&) { taken[7] = -2; }},
      {"and again", [&](Lstm&, const Tensor&) { taken[7] = 3; }},
  };
  const Tensor x = test::random_tensor({5, 2, 3}, DType::f32, 1);
  Lstm lstm(3, 4, options);
  lstm(x);
  for (const auto& [name, write] : writes) {
    write(lstm, x);
    const auto expected = fresh_output(lstm, x);
    for (int call = 0; call < 2; ++call)
      EXPECT_EQ(test::bits_of(lstm(x).output), expected) << name << " " << call;
  }
}

TEST(PackedWeights, AreKeptForTheSameVersionsOnly) {
  Lstm lstm(3, 4, options);
  const auto versions_now = [&] { return PackedWeights::versions_of(lstm.layers()); };
  const Tensor last_bias = lstm.layers().back()[WeightRole::bias_hh];
  PackedWeights kept;
  const auto versions = versions_now();
  ASSERT_FALSE(versions.empty());
  EXPECT_FALSE(kept.find(versions));
  const auto packed = std::make_shared<const int>(8);
  kept.keep(versions, packed);
  EXPECT_EQ(kept.find(versions_now()), packed);
  init::constant(last_bias, 1);
  EXPECT_FALSE(kept.find(versions_now()));
  EXPECT_FALSE(kept.find(versions));
  last_bias.data<float>();
  EXPECT_TRUE(versions_now().empty());
  kept.keep(versions_now(), packed);
  EXPECT_FALSE(kept.find(versions_now()));
}

TEST(PackedWeights, OfACellSurviveItsOwnStepsForwardAndBackward) {
  LstmCell cell(3, 4);
  cell.parameters();
  const auto before = PackedWeights::versions_of(cell.layers());
  State state;
  for (int t = 0; t < 3; ++t) state = cell(Tensor::full({2, 3}, 0.5), state);
  sum(state.h).backward();
  EXPECT_EQ(PackedWeights::versions_of(cell.layers()), before);
}

}  // namespace
}  // namespace unroll::nn
