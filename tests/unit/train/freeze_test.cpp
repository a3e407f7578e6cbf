// Weights that stay as they are, and weights that another model gives.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "support/expect_error.h"
#include "support/tensors.h"
#include "support/three_parts.h"
#include "train/initial_weights.h"
#include "train/trained_parameters.h"
#include "train/trainer.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

using BitsByName = std::map<std::string, std::vector<std::uint64_t>>;

BitsByName bits_by_name(const Parameters& parameters) {
  BitsByName bits;
  for (const Parameter& p : parameters) bits[p.name] = test::bits_of(p.value);
  return bits;
}

Config frozen_config() {
  Config c;
  c.model = ModelKind::gru;
  c.hidden = 5;
  c.batch_size = 10;
  c.steps = 6;
  c.optimizer = Algorithm::adamw;
  c.lr = 0.05;
  c.weight_decay = 0.1;
  c.eval_every = 0;
  c.threads = 1;
  return c;
}

/// A model after a few steps of training.
InitialWeights weights_after_training(const Config& config) {
  Trainer trainer(config, test::three_parts());
  trainer.run({});
  InitialWeights from = {trainer.description(), {}, "other.safetensors"};
  for (const Parameter& p : trainer.parameters()) from.weights.push_back({p.name, p.value.clone()});
  return from;
}

TEST(Freeze, FrozenWeightsKeepEveryBit) {
  for (const Algorithm algorithm : {Algorithm::adamw, Algorithm::sgd, Algorithm::muon}) {
    Config c = frozen_config();
    c.optimizer = algorithm;
    c.freeze = {"gru."};
    Trainer trainer(c, test::three_parts());
    const BitsByName before = bits_by_name(trainer.parameters());
    trainer.run({});
    for (const auto& [name, bits] : bits_by_name(trainer.parameters()))
      EXPECT_EQ(bits == before.at(name), name.starts_with("gru.")) << name;
  }
}

// The norm is that of the trained weights alone, so clipping does not depend on the frozen ones.
TEST(Freeze, TheGradientNormIsThatOfTheOthers) {
  Config c = frozen_config();
  c.steps = 1;
  const auto norm_of = [&](const std::vector<std::string>& frozen) {
    Config config = c;
    config.freeze = frozen;
    Trainer trainer(config, test::three_parts());
    trainer.run({});
    return trainer.last_step().grad_norm;
  };
  const double all = norm_of({}), head = norm_of({"gru"}), body = norm_of({"fc"});
  EXPECT_NEAR(all * all, head * head + body * body, 1e-6 * all * all);
  EXPECT_GT(body, 0);
}

TEST(Freeze, AStartThatNoNameHasIsRefused) {
  const Parameters all = {{"rnn.weight", Tensor::full({1}, 0)}, {"fc.bias", Tensor::full({1}, 0)}};
  EXPECT_EQ(trained_parameters(all, {"rnn"}).size(), 1u);
  EXPECT_EQ(test::error_of<ValueError>([&] {
              trained_parameters(all, {"fc", "gru"});
            }),
            "[freeze] no weight has a name that starts with 'gru'; the weights are rnn.weight, "
            "fc.bias");
  EXPECT_EQ(test::error_of<ValueError>([&] {
              trained_parameters(all, {"fc", "rnn."});
            }),
            "[freeze] fc, rnn. are all weights, so nothing would be trained; leave one out");
}

TEST(InitFrom, TrainingBeginsWithTheWeights) {
  const InitialWeights from = weights_after_training(frozen_config());
  Config c = frozen_config();
  c.seed = 9;
  Trainer trainer(c, test::three_parts(), &from);
  EXPECT_TRUE(trainer.not_initial().empty());
  EXPECT_EQ(bits_by_name(trainer.parameters()), bits_by_name(from.weights));
  // In another type the numbers are the same.
  c.dtype = DType::f64;
  Trainer wide(c, test::three_parts(), &from);
  for (std::size_t k = 0; k < from.weights.size(); ++k)
    EXPECT_EQ(wide.parameters()[k].value.to_vector(), from.weights[k].value.to_vector());
}

// A second training begins with them, too.
TEST(InitFrom, ALastLayerOfAnotherSizeKeepsItsInitialValues) {
  InitialWeights from = weights_after_training(frozen_config());
  std::get<spec::LinearSpec>(from.spec.layers.back()).out_features = 3;
  for (Parameter& p : from.weights)
    if (p.name.starts_with("fc."))
      p.value = p.value.rank() == 2 ? Tensor::full({3, 5}, 7) : Tensor::full({3}, 7);
  Trainer fresh(frozen_config(), test::three_parts());
  Trainer trainer(frozen_config(), test::three_parts(), &from);
  EXPECT_EQ(trainer.not_initial(), (std::vector<std::string>{"fc.weight", "fc.bias"}));
  const BitsByName here = bits_by_name(trainer.parameters()), given = bits_by_name(from.weights),
                   initial = bits_by_name(fresh.parameters());
  for (const auto& [name, bits] : here)
    EXPECT_EQ(bits, name.starts_with("fc.") ? initial.at(name) : given.at(name)) << name;
}

TEST(InitFrom, OtherLayersOfTheSameNameAreRefused) {
  Config c = frozen_config();
  const InitialWeights from = weights_after_training(c);
  c.hidden = 6;
  EXPECT_EQ(test::error_of<ValueError>([&] { Trainer(c, test::three_parts(), &from); }),
            "[init-from] the layer gru of other.safetensors is 15 x 1 there, 18 x 1 here "
            "(gru.weight_ih_l0); give the settings of that model, or leave --init-from out");
  c = frozen_config();
  c.bidirectional = true;
  EXPECT_THROW(Trainer(c, test::three_parts(), &from), ValueError);
  InitialWeights none = from;
  none.weights = {{"other.weight", Tensor::full({1}, 0)}};
  none.spec.layers.clear();
  EXPECT_NE(test::error_of<ValueError>([&] {
              Trainer(frozen_config(), test::three_parts(), &none);
            }).find("has no weight with a name and a shape of this model"),
            std::string::npos);
}

}  // namespace
}  // namespace unroll::train
