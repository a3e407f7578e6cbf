#include "train/trainer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/expect_error.h"
#include "support/sources.h"
#include "support/specs.h"
#include "support/tensors.h"
#include "tensor/tensor_impl.h"

namespace unroll::train {
namespace {

/// 25 images of 4x4: class 0 black, class 1 white.
data::Dataset make_set(std::int64_t count = 25) {
  data::Dataset set;
  set.name = "made up";
  set.count = count;
  set.rows = set.columns = 4;
  set.classes = 2;
  for (std::int64_t i = 0; i < count; ++i) {
    set.images.insert(set.images.end(), 16, i % 2 ? 255 : 0);
    set.labels.push_back(static_cast<std::uint8_t>(i % 2));
  }
  return set;
}

Config make_config() {
  Config c = recipe("tutorial");
  c.hidden = 6;
  c.batch_size = 10;
  c.steps = 8;
  c.lr = 0.5;
  c.eval_every = 3;
  c.save_at = {2, 8, 100};
  return c;
}

/// A listener's calls, as text.
struct Log : Listener {
  std::vector<std::string> events;
  std::vector<double> losses, rates;
  std::vector<std::int64_t> epochs;
  std::int64_t stop_after = 0;

  void step(const StepResult& r) override {
    events.push_back("step " + std::to_string(r.step));
    losses.push_back(r.loss);
    rates.push_back(r.lr);
    epochs.push_back(r.epoch);
    EXPECT_GT(r.grad_norm, 0);
  }
  void save(std::int64_t step) override { events.push_back("save " + std::to_string(step)); }
  void evaluation(const StepResult& r, const Evaluation& e) override {
    events.push_back("eval " + std::to_string(r.step));
    EXPECT_EQ(r.loss, losses.back());
    EXPECT_EQ(e.accuracy().total, 25);
  }
  bool stop() override { return static_cast<std::int64_t>(losses.size()) == stop_after; }
};

TEST(Trainer, TellsWhatHappensInOrder) {
  const data::Dataset set = make_set();
  Trainer trainer(make_config(), test::images(make_config(), set));
  Log log;
  EXPECT_TRUE(trainer.run({&log}));
  EXPECT_EQ(log.events, (std::vector<std::string>{"step 1", "step 2", "save 2", "step 3", "eval 3",
                                                  "step 4", "step 5", "step 6", "eval 6", "step 7",
                                                  "step 8", "save 8", "eval 8"}));
  EXPECT_EQ(trainer.last_evaluation().accuracy().correct, 25);  // black from white is easy
  EXPECT_LT(log.losses.back(), log.losses.front());
  EXPECT_NEAR(log.losses.front(), std::log(2), 0.3);
}

// After that every layer would pack its weights at each call.
TEST(Trainer, HandsOutNoPointerToTheWeights) {
  const data::Dataset set = make_set();
  for (const ModelKind model : {ModelKind::rnn, ModelKind::lstm, ModelKind::cnn, ModelKind::fnn})
    for (const Algorithm optimizer : {Algorithm::sgd, Algorithm::adam, Algorithm::muon}) {
      if (optimizer == Algorithm::muon && !is_recurrent(model)) continue;
      Config c = make_config();
      c.model = model;
      c.optimizer = optimizer;
      c.lr = 0.001;
      c.clip_norm = 1;
      c.steps = 2;
      c.init = InitialValues::xavier;
      Trainer trainer(c, test::images(c, set));
      trainer.run({});
      trainer.checkpoint();
      EXPECT_NE(trainer.parameters()[0].value.impl()->storage->version(), 0u) << name_of(model);
    }
}

TEST(Trainer, EpochsDecideTheSteps) {
  const data::Dataset set = make_set();
  Config c = make_config();
  c.epochs = 2;  // of 10, 10 and 5 images
  Trainer trainer(c, test::images(c, set));
  EXPECT_EQ(trainer.steps(), 6);
  Log log;
  EXPECT_TRUE(trainer.run({&log}));
  EXPECT_EQ(log.losses.size(), 6u);
}

TEST(Trainer, TellsTheEpochAndTheLearningRate) {
  const data::Dataset set = make_set();
  Config c = make_config();
  c.schedule = ScheduleKind::step;
  c.gamma = 0.5;
  c.gamma_every = 3;
  Trainer trainer(c, test::images(c, set));  // batches of 10, 10 and 5 images
  Log log;
  trainer.run({&log});
  EXPECT_EQ(log.epochs, (std::vector<std::int64_t>{1, 1, 1, 2, 2, 2, 3, 3}));
  EXPECT_EQ(log.rates, (std::vector<double>{0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125}));
  EXPECT_EQ(trainer.last_step().lr, 0.125);
}

TEST(Trainer, DataWithoutEndHasNoEpochs) {
  Config c = recipe("tuned", {.dataset = "adding", .model = ModelKind::rnn});
  c.length = 10;
  c.batch_size = 2;
  c.steps = 3;
  c.eval_every = 0;
  Trainer trainer(c, test::source(c));
  Callbacks callbacks;
  callbacks.on_step = [](const StepResult& r) { EXPECT_EQ(r.epoch, 0); };
  EXPECT_TRUE(trainer.run({&callbacks}));
}

TEST(Trainer, AsksAllListenersWhetherToStop) {
  const data::Dataset set = make_set();
  Trainer trainer(make_config(), test::images(make_config(), set));
  Log first, second;
  first.stop_after = 3;
  std::int64_t asked = 0;
  Callbacks last;
  last.stops = [&] { return ++asked, false; };
  EXPECT_FALSE(trainer.run({&first, &second, &last}));
  EXPECT_EQ(first.events, second.events);
  EXPECT_EQ(asked, 3);
}

TEST(Trainer, StopsWhenAsked) {
  const data::Dataset set = make_set();
  Trainer trainer(make_config(), test::images(make_config(), set));
  Log log;
  log.stop_after = 3;
  EXPECT_FALSE(trainer.run({&log}));
  EXPECT_EQ(log.events.back(), "eval 3");
  // The state after the third step of a run without interruption.
  Config c = make_config();
  c.steps = 3;
  Trainer three(c, test::images(c, set));
  EXPECT_TRUE(three.run({}));
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_EQ(test::bits_of(trainer.parameters()[i].value),
              test::bits_of(three.parameters()[i].value));
}

TEST(Trainer, LookingAtTheTestSetChangesNothing) {
  const data::Dataset set = make_set();
  std::vector<double> losses[2];
  for (const int every : {0, 1}) {
    Config c = make_config();
    c.eval_every = every;
    Trainer trainer(c, test::images(c, set));
    Log log;
    trainer.run({&log});
    losses[every] = log.losses;
  }
  EXPECT_EQ(losses[0], losses[1]);
}

TEST(Trainer, DescribesItsModel) {
  const data::Dataset set = make_set();
  Config c = make_config();
  c.layers = 2;
  c.activation = spec::Activation::tanh;
  c.normalization = {0.5, 0.25};
  Trainer trainer(c, test::images(c, set));
  const spec::ModelSpec& spec = trainer.description();
  const spec::ModelSpec expected = test::rnn_spec(4, 6, 2, 2, Nonlinearity::tanh);
  EXPECT_EQ(spec.layers, expected.layers);
  EXPECT_EQ(spec.input,
            spec::InputSpec(spec::ImageInput{spec::Form::rows, 4, 4, std::nullopt, 0.5, 0.25}));
  EXPECT_EQ(spec.dataset, "made up");
  std::vector<std::pair<std::string, spec::Sizes>> made;
  for (const Parameter& p : trainer.parameters())
    made.emplace_back(p.name, spec::Sizes(p.value.shape().begin(), p.value.shape().end()));
  EXPECT_EQ(made, spec::weights_of(spec));
}

TEST(Trainer, InitialValues) {
  const data::Dataset set = make_set();
  Config c = make_config();
  c.init = InitialValues::identity;
  Trainer identity(c, test::images(c, set));
  const auto parameters = identity.parameters();
  for (int i = 0; i < 36; ++i)
    EXPECT_EQ(parameters[1].value.to_vector()[static_cast<std::size_t>(i)], i / 6 == i % 6);
  EXPECT_EQ(parameters[2].value.to_vector(), std::vector<double>(6));
  EXPECT_EQ(parameters[3].value.to_vector(), std::vector<double>(6));
  c.init = InitialValues::orthogonal;
  Trainer orthogonal(c, test::images(c, set));
  const auto w = orthogonal.parameters()[1].value.to_vector();
  for (std::size_t a = 0; a < 6; ++a)
    for (std::size_t b = 0; b < 6; ++b) {
      double product = 0;
      for (std::size_t k = 0; k < 6; ++k) product += w[6 * a + k] * w[6 * b + k];
      EXPECT_NEAR(product, a == b, 1e-6);
    }
}

TEST(Trainer, WhatWouldNotFitIntoMemoryIsRefused) {
  data::Dataset set = make_set();
  Config c = make_config();
  c.hidden = 1 << 16;
  EXPECT_THROW(Trainer(c, test::images(c, set)), ValueError);
}

}  // namespace
}  // namespace unroll::train
