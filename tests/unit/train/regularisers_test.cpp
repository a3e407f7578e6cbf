// Regularisers that only training sees, from the configuration to the weights.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "support/black_and_white.h"
#include "support/expect_error.h"
#include "support/sources.h"
#include "support/tensors.h"
#include "train/describe.h"
#include "train/trainer.h"
#include "unroll/core/error.h"
#include "unroll/nn/init.h"

namespace unroll::train {
namespace {

using test::black_and_white;
using test::error_of;
using Change = std::function<void(Config&)>;

Config regularised_config(const Change& change = {}) {
  Config c = recipe("tutorial", ModelKind::lstm);
  c.hidden = 8;
  c.batch_size = 10;
  c.steps = 60;
  c.lr = 0.5;
  c.threads = 1;
  if (change) change(c);
  return c;
}

spec::ModelSpec describe_images(const Config& config) {
  return describe(config, *test::images(config, black_and_white()));
}

struct Regularised {
  double first_loss = 0, last_loss = 0;
  std::int64_t correct = 0;
  std::vector<std::vector<std::uint64_t>> weights;
  std::string model;
};

Regularised train_regularised(const Config& config) {
  const data::Dataset set = black_and_white();
  Trainer trainer(config, test::images(config, set));
  Regularised result;
  Callbacks callbacks;
  callbacks.on_step = [&](const StepResult& r) {
    (r.step == 1 ? result.first_loss : result.last_loss) = r.loss;
  };
  trainer.run({&callbacks});
  result.correct = trainer.last_evaluation().accuracy().correct;
  for (const Parameter& p : trainer.parameters()) result.weights.push_back(test::bits_of(p.value));
  result.model = spec::to_json(trainer.description());
  return result;
}

const Change each[] = {
    [](Config& c) { c.variational_dropout = 0.2; },
    [](Config& c) { c.recurrent_dropout = 0.2; },
    [](Config& c) { c.weight_drop = 0.2; },
    [](Config& c) { c.ar = 0.1; },
    [](Config& c) { c.tar = 0.1; },
};

/// Each has its part in the weights, learns, and leaves the model's description as it is.
TEST(Regularisers, TrainAndLeaveThePlainModel) {
  const Regularised plain = train_regularised(regularised_config());
  for (const Change& change : each) {
    const Regularised result = train_regularised(regularised_config(change));
    EXPECT_NE(result.weights, plain.weights);
    EXPECT_LT(result.last_loss, result.first_loss / 2);
    EXPECT_EQ(result.correct, 20);
    EXPECT_EQ(result.model, plain.model);
  }
}

/// In evaluation they are nothing: whole weights, no masks.
TEST(Regularisers, DoNothingInEvaluation) {
  const spec::ModelSpec spec = describe_images(regularised_config([](Config& c) { c.layers = 2; }));
  Generator plain_generator(1), generator(1);
  Network plain(spec, plain_generator),
      model(spec, generator,
            {.regularisation = {.variational_dropout = {.input = 0.5, .state = 0.5},
                                .recurrent_dropout = 0.5,
                                .weight_drop = 0.5},
             .ar = 1,
             .tar = 1});
  model.load(plain.parameters());
  const Tensor x = Tensor::full({3, 4, 4}, 0.5);
  EXPECT_NE(model(x).to_vector(), plain(x).to_vector());
  model.eval();
  EXPECT_EQ(model(x).to_vector(), plain(x).to_vector());
}

/// With weight_hh 0 and weights of 1/4 over four inputs, h_t is the mean of x_t: 1, 0, 1, 0.
TEST(Regularisers, PenaltiesAreThoseOfTheStatesByHand) {
  Config config = regularised_config();
  config.model = ModelKind::rnn;
  const spec::ModelSpec spec = describe_images(config);
  const auto penalties_of = [&](double ar, double tar) {
    Generator generator(1);
    Network model(spec, generator, {.ar = ar, .tar = tar});
    for (const Parameter& p : model.parameters())
      nn::init::constant(p.value, p.name == "rnn.weight_ih_l0" ? 0.25 : 0);
    const Tensor x = Tensor::zeros({2, 4, 4}, DType::f32);
    for (int n = 0; n < 2; ++n)
      for (const int t : {0, 2}) std::fill_n(x.data<float>() + n * 16 + t * 4, 4, 1.0F);
    Network::States states;
    std::vector<Tensor> penalties;
    model(x, states, penalties);
    std::vector<double> values;
    for (const Tensor& penalty : penalties) values.push_back(penalty.item());
    return values;
  };
  using Values = std::vector<double>;
  EXPECT_EQ(penalties_of(0, 0), Values());
  EXPECT_EQ(penalties_of(3, 0), Values{1.5});  // half of the states are 1
  EXPECT_EQ(penalties_of(0, 3), Values{3});    // every difference is 1 or -1
  EXPECT_EQ(penalties_of(2, 3), (Values{1, 3}));
}

TEST(Regularisers, PenaltiesRaiseTheLoss) {
  const auto first_loss = [](double ar) {
    return train_regularised(regularised_config([=](Config& c) {
             c.steps = 1;
             c.ar = ar;
           }))
        .first_loss;
  };
  const double none = first_loss(0), one = first_loss(1), two = first_loss(2);
  EXPECT_GT(one, none);
  EXPECT_NEAR(two - none, 2 * (one - none), 1e-6);
}

TEST(Regularisers, OutsideTheirRangeAreRefused) {
  const auto refused = [](const Change& change, const std::string& setting) {
    const std::string text = error_of<ValueError>([&] { validate(regularised_config(change)); });
    EXPECT_EQ(text.find("[" + setting + "]"), 0U) << text;
    EXPECT_NE(text.find("expected"), std::string::npos) << text;
  };
  refused([](Config& c) { c.variational_dropout = 1; }, "variational-dropout");
  refused([](Config& c) { c.recurrent_dropout = -0.1; }, "recurrent-dropout");
  refused([](Config& c) { c.weight_drop = std::nan(""); }, "weight-drop");
  refused([](Config& c) { c.ar = -1; }, "ar");
  refused([](Config& c) { c.tar = HUGE_VAL; }, "tar");
}

TEST(Regularisers, OfModelsThatHaveNoPlaceForThemAreRefused) {
  for (const ModelKind model : {ModelKind::logistic, ModelKind::fnn, ModelKind::cnn})
    for (const Change& change : each) {
      Config config = recipe("tuned", model);
      change(config);
      const std::string text = error_of<ValueError>([&] { validate(config); });
      EXPECT_NE(text.find("no effect with --model"), std::string::npos) << text;
    }
  Config plain = recipe("tuned", ModelKind::rnn);
  plain.recurrent_dropout = 0.1;
  const std::string text = error_of<ValueError>([&] { validate(plain); });
  for (const char* part : {"[recurrent-dropout]", "no effect with --model rnn", "lstm or gru"})
    EXPECT_NE(text.find(part), std::string::npos) << text;
}

}  // namespace
}  // namespace unroll::train
