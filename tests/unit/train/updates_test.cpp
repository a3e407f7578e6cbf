// Initial values, optimizers and schedules, from the configuration to the weights.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "support/black_and_white.h"
#include "support/expect_error.h"
#include "support/sources.h"
#include "train/learning_rate.h"
#include "train/trainer.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

using test::black_and_white;
using test::error_of;
using Change = std::function<void(Config&)>;

Config updated_config(const Change& change) {
  Config c = recipe("tutorial", ModelKind::gru);
  c.hidden = 8;
  c.batch_size = 20;
  c.steps = 60;
  c.threads = 1;
  change(c);
  return c;
}

/// The weights before the first step and after each.
struct Updated {
  std::vector<std::vector<double>> weights;
  std::vector<double> losses;
  std::int64_t correct = 0;

  /// The largest change of a weight in a step.
  double moved(std::size_t step) const {
    double most = 0;
    for (std::size_t i = 0; i < weights[0].size(); ++i)
      most = std::max(most, std::abs(weights[step][i] - weights[step - 1][i]));
    return most;
  }
};

Updated train_updated(const Config& config) {
  const data::Dataset set = black_and_white();
  Trainer trainer(config, test::images(config, set));
  Updated result;
  const auto keep = [&] {
    auto& all = result.weights.emplace_back();
    for (const Parameter& p : trainer.parameters())
      for (const double v : p.value.to_vector()) all.push_back(v);
  };
  keep();
  Callbacks callbacks;
  callbacks.on_step = [&](const StepResult& r) {
    result.losses.push_back(r.loss);
    keep();
  };
  trainer.run({&callbacks});
  result.correct = trainer.last_evaluation().accuracy().correct;
  return result;
}

TEST(Updates, EveryOptimizerScheduleAndInitialValueLearns) {
  const Change each[] = {
      [](Config& c) { c.optimizer = Algorithm::rmsprop, c.lr = 0.005, c.beta2 = 0.99; },
      [](Config& c) { c.optimizer = Algorithm::adagrad, c.lr = 0.05; },
      [](Config& c) { c.optimizer = Algorithm::adam, c.lr = 0.01, c.amsgrad = true; },
      [](Config& c) { c.optimizer = Algorithm::adamw, c.lr = 0.01, c.amsgrad = true; },
      [](Config& c) { c.lr = 0.5, c.schedule = ScheduleKind::step; },
      [](Config& c) { c.lr = 0.5, c.schedule = ScheduleKind::exponential; },
      [](Config& c) { c.lr = 0.5, c.schedule = ScheduleKind::one_cycle; },
      [](Config& c) { c.lr = 0.5, c.schedule = ScheduleKind::plateau, c.eval_every = 5; },
      [](Config& c) { c.lr = 0.5, c.init = InitialValues::xavier; },
      [](Config& c) { c.lr = 0.5, c.init = InitialValues::kaiming; },
      [](Config& c) { c.lr = 0.1, c.init = InitialValues::kaiming, c.model = ModelKind::rnn; },
      [](Config& c) { c.lr = 0.1, c.init = InitialValues::kaiming, c.model = ModelKind::cnn; },
      [](Config& c) { c.lr = 0.1, c.init = InitialValues::xavier, c.model = ModelKind::cnn; },
      [](Config& c) { c.lr = 0.1, c.init = InitialValues::xavier, c.model = ModelKind::fnn; },
  };
  int number = 0;
  for (const Change& change : each) {
    SCOPED_TRACE(number++);
    const Updated result = train_updated(updated_config(change));
    EXPECT_LT(result.losses.back(), result.losses.front() / 2);
    EXPECT_EQ(result.correct, 20);
  }
}

/// The first step shows which rule it is: the largest moves are the rate divided by
/// sqrt(1 - alpha) for RMSprop, the rate itself for Adagrad and Adam.
TEST(Updates, FirstStepsByHand) {
  const auto first = [](const Change& change) {
    return train_updated(updated_config([&](Config& c) {
             c.steps = 1;
             c.dtype = DType::f64;
             change(c);
           }))
        .moved(1);
  };
  EXPECT_NEAR(
      first([](Config& c) { c.optimizer = Algorithm::rmsprop, c.lr = 0.01, c.beta2 = 0.96; }), 0.05,
      1e-6);
  EXPECT_NEAR(first([](Config& c) { c.optimizer = Algorithm::adagrad, c.lr = 0.01; }), 0.01, 1e-6);
}

/// Amsgrad differs from Adam once a mean of squares has fallen.
TEST(Updates, AmsgradIsTaken) {
  for (const Algorithm optimizer : {Algorithm::adam, Algorithm::adamw}) {
    const auto weights = [&](bool amsgrad) {
      return train_updated(updated_config([&](Config& c) {
               c.optimizer = optimizer;
               c.lr = 0.01;
               c.beta2 = 0.5;
               c.amsgrad = amsgrad;
             }))
          .weights;
    };
    const auto plain = weights(false), largest = weights(true);
    EXPECT_EQ(plain[1], largest[1]);
    EXPECT_NE(plain.back(), largest.back());
  }
}

/// While gradients stay as they are, Adam moves a weight by the rate: the moves are the factors.
TEST(Updates, SchedulesScaleTheSteps) {
  const auto moves = [](const Change& change) {
    const Updated t = train_updated(updated_config([&](Config& c) {
      c.model = ModelKind::logistic;
      c.optimizer = Algorithm::adam;
      c.steps = 9;
      c.lr = 1e-7;  // so small that gradients stay
      c.dtype = DType::f64;
      change(c);
    }));
    std::vector<double> all;
    for (std::size_t s = 1; s <= 9; ++s) all.push_back(t.moved(s) / 1e-7);
    return all;
  };
  const auto expect = [&](const Change& change, const std::vector<double>& factors) {
    const std::vector<double> made = moves(change);
    for (std::size_t s = 0; s < factors.size(); ++s) EXPECT_NEAR(made[s], factors[s], 1e-3) << s;
  };
  expect([](Config& c) { c.schedule = ScheduleKind::step; },
         {1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01});
  expect([](Config& c) { c.schedule = ScheduleKind::step, c.gamma = 0.5, c.gamma_every = 2; },
         {1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625});
  expect([](Config& c) { c.schedule = ScheduleKind::exponential, c.gamma = 0.5; },
         {1, 0.5, 0.25, 0.125, 0.0625});
  expect([](Config& c) { c.schedule = ScheduleKind::exponential; },
         {1, std::pow(0.01, 1.0 / 9), std::pow(0.01, 2.0 / 9)});
  // torch.optim.lr_scheduler.OneCycleLR over nine steps peaks at step 0.3 * 9 - 1 = 1.7.
  const std::vector<double> cycle = moves([](Config& c) { c.schedule = ScheduleKind::one_cycle; });
  EXPECT_NEAR(cycle[0], 0.04, 1e-3);
  EXPECT_GT(cycle[2], 0.9);
  EXPECT_NEAR(cycle[8], 0, 1e-3);
}

/// What PyTorch's ReduceLROnPlateau(factor=0.5, patience=1) makes of the mean losses 1, 2, 2, 0.5,
/// 0.5, 0.5 after every two steps: a drop after the third and after the sixth.
TEST(LearningRate, PlateauDropsWhenTheMeanLossNoLongerFalls) {
  Config config;
  config.schedule = ScheduleKind::plateau;
  config.gamma = 0.5;
  LearningRate rate(config, 12);
  std::vector<double> factors;
  std::int64_t step = 0;
  for (const double mean : {1.0, 2.0, 2.0, 0.5, 0.5, 0.5}) {
    for (const double loss : {mean - 0.25, mean + 0.25}) {
      factors.push_back(rate.factor(++step));
      rate.add(loss, step);
    }
    rate.evaluated();
    EXPECT_EQ(rate.factor(step), factors.back());  // the step that was made keeps its factor
  }
  EXPECT_EQ(factors, (std::vector<double>{1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5}));
  EXPECT_EQ(rate.factor(step + 1), 0.25);

  LearningRate other(config, 12);
  other.load(rate.state());
  EXPECT_EQ(other.factor(step + 1), 0.25);
  EXPECT_THROW(LearningRate(Config(), 12).load(rate.state()), FormatError);
  EXPECT_THROW(rate.load(std::nullopt), FormatError);
}

/// The test set has no part in it: the steps are the same whatever is tested on.
TEST(LearningRate, PlateauNeverLooksAtTheTestSet) {
  Config config = updated_config([](Config& c) {
    c.schedule = ScheduleKind::plateau;
    c.gamma_every = 1;
    c.eval_every = 2;
    c.lr = 20;
    c.clip_norm = 1;
    c.steps = 20;
  });
  const data::Dataset set = black_and_white();
  data::Dataset other = set;
  std::ranges::reverse(other.labels);
  const auto rates = [&](const data::Dataset& tested) {
    std::vector<double> all;
    Trainer trainer(config, test::images(config, set, tested));
    Callbacks listener;
    listener.on_step = [&](const StepResult& r) { all.push_back(r.lr); };
    trainer.run({&listener});
    return all;
  };
  EXPECT_EQ(rates(set), rates(other));
  EXPECT_LT(rates(set).back(), 20);
}

/// The largest of each block's values, as a share of the bound that the papers give.
TEST(InitialValuesOf, XavierAndKaimingAreBoundedByEachMatrix) {
  const data::Dataset set = black_and_white();
  for (const bool xavier : {true, false}) {
    Config c = updated_config([](Config& config) { config.hidden = 40; });
    c.init = xavier ? InitialValues::xavier : InitialValues::kaiming;
    Trainer trainer(c, test::images(c, set));
    const auto expect_bound = [&](const std::string& name, double fan_in, double fan_out,
                                  std::size_t blocks) {
      const double bound = std::sqrt(6 / (xavier ? fan_in + fan_out : fan_in));
      const Parameters all = trainer.parameters();
      const auto found = std::ranges::find(all, name, &Parameter::name);
      ASSERT_NE(found, all.end()) << name;
      const auto values = found->value.to_vector();
      const std::size_t size = values.size() / blocks;
      for (std::size_t b = 0; b < blocks; ++b) {
        double most = 0;
        for (std::size_t i = 0; i < size; ++i)
          most = std::max(most, std::abs(values[b * size + i]));
        EXPECT_LE(most, bound * (1 + 1e-6)) << name;
        EXPECT_GT(most, 0.85 * bound) << name;
      }
    };
    expect_bound("gru.weight_ih_l0", 4, 40, 3);
    expect_bound("gru.weight_hh_l0", 40, 40, 3);
    expect_bound("fc.weight", 40, 2, 1);
  }
  Config c = updated_config([](Config& config) { config.model = ModelKind::cnn; });
  c.init = InitialValues::kaiming;
  Trainer trainer(c, test::images(c, set));
  const auto kernels = trainer.parameters()[0].value.to_vector();
  EXPECT_NEAR(*std::ranges::max_element(kernels), std::sqrt(6.0 / 25), 0.05);
}

TEST(Updates, WhatHasNoMeaningIsRefused) {
  const auto refused = [](const Change& change, const std::vector<std::string>& parts) {
    const std::string text = error_of<ValueError>([&] { validate(updated_config(change)); });
    for (const std::string& part : parts) EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  refused([](Config& c) { c.schedule = ScheduleKind::step, c.gamma = 1.5; },
          {"[gamma]", "1.5", "from 0 to 1"});
  refused([](Config& c) { c.schedule = ScheduleKind::step, c.gamma_every = -1; },
          {"[gamma-every]", "-1"});
  refused([](Config& c) { c.schedule = ScheduleKind::plateau, c.eval_every = 0; },
          {"[schedule]", "plateau", "--eval-every"});
  refused([](Config& c) { c.schedule = ScheduleKind::plateau, c.gamma = 1; },
          {"[gamma]", "below 1", "plateau"});
  refused([](Config& c) { c.init = InitialValues::identity; },
          {"[init]", "identity", "orthogonal, xavier or kaiming"});
  refused([](Config& c) { c.model = ModelKind::fnn, c.init = InitialValues::orthogonal; },
          {"[init]", "torch, xavier or kaiming"});
}

}  // namespace
}  // namespace unroll::train
