// Each illness in a run that has it, and a run that has none.
#include "train/diagnosis.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/black_and_white.h"
#include "support/sources.h"
#include "train/trainer.h"

namespace unroll::train {
namespace {

std::vector<Finding> findings_of(const Config& config, const test::Source& source) {
  Trainer trainer(config, source);
  Signs signs;
  try {
    trainer.run({});
    signs.step = trainer.last_step().step;
  } catch (const Diverged& diverged) {
    signs.step = diverged.kept.step;
    signs.failed = diverged.failed;
  }
  const Evaluation& e = trainer.last_evaluation();
  if (e.accuracy().is_share()) signs.accuracy = e.accuracy().value;
  signs.inside = e.inside;
  return diagnose(config, signs);
}

std::vector<std::string> names_of(const std::vector<Finding>& findings) {
  std::vector<std::string> names;
  for (const Finding& f : findings) names.push_back(f.name);
  return names;
}

/// Whether a finding of this name is there, with a figure and a remedy.
testing::AssertionResult found(const std::vector<Finding>& findings, const std::string& name,
                               const std::string& flag) {
  for (const Finding& f : findings) {
    if (f.name != name) continue;
    const bool figure = std::ranges::any_of(f.what, [](char c) { return c >= '0' && c <= '9'; }) ||
                        f.what.find("not finite") != std::string::npos;
    if (figure && f.remedy.find(flag) != std::string::npos)
      return testing::AssertionSuccess() << f.what << " Try " << f.remedy;
    return testing::AssertionFailure() << f.what << " Try " << f.remedy;
  }
  return testing::AssertionFailure() << "found: " << testing::PrintToString(names_of(findings));
}

/// Whether no finding has this name.
testing::AssertionResult absent(const std::vector<Finding>& findings, const std::string& name) {
  for (const Finding& f : findings)
    if (f.name == name) return testing::AssertionFailure() << f.what;
  return testing::AssertionSuccess();
}

/// Tests at the end alone.
Config small(Config c, std::int64_t hidden, std::int64_t batch_size, std::int64_t steps) {
  c.hidden = hidden;
  c.batch_size = batch_size;
  c.steps = steps;
  c.eval_every = 0;
  c.threads = 1;
  return c;
}

Config images_config(ModelKind model) { return small(recipe("tutorial", model), 16, 20, 500); }

test::Source images(const Config& config) { return test::images(config, test::black_and_white()); }

Config adding_config(ModelKind model) {
  Config c = recipe("tuned", {.dataset = "adding", .model = model});
  c.dataset = "adding";
  c.length = 60;
  return small(c, 8, 4, 1);
}

TEST(Diagnosis, AHealthyRunHasNoFinding) {
  Config c = images_config(ModelKind::gru);
  c.clip_norm = 1;
  EXPECT_EQ(names_of(findings_of(c, images(c))), std::vector<std::string>{});
}

TEST(Diagnosis, ALossThatIsNotFinite) {
  Config c = images_config(ModelKind::rnn);
  c.lr = 1e6;
  const auto findings = findings_of(c, images(c));
  EXPECT_TRUE(found(findings, "diverged", "--clip-norm 1")) << findings.size();
}

TEST(Diagnosis, UpdatesLargerThanTheWeights) {
  Config c = images_config(ModelKind::fnn);
  c.optimizer = Algorithm::adam;
  c.lr = 10;
  c.steps = 1;
  EXPECT_TRUE(found(findings_of(c, images(c)), "too large updates", "--lr"));
  c.lr = 0.001;
  EXPECT_TRUE(absent(findings_of(c, images(c)), "too large updates"));
}

/// Sums of 60 positive states: one step of plain SGD makes the recurrent weights too large.
Config without_clipping(double lr) {
  Config c = adding_config(ModelKind::rnn);
  c.activation = spec::Activation::relu;
  c.init = InitialValues::identity;
  c.optimizer = Algorithm::sgd;
  c.clip_norm = 0;
  c.lr = lr;
  return c;
}

TEST(Diagnosis, GradientsThatExplodeOverTime) {
  Config c = without_clipping(0.005);
  EXPECT_TRUE(found(findings_of(c, test::source(c)), "exploding gradients", "--clip-norm 1"));
  c = without_clipping(1e-5);
  EXPECT_TRUE(absent(findings_of(c, test::source(c)), "exploding gradients"));
}

TEST(Diagnosis, GradientsThatVanishOverTime) {
  Config c = adding_config(ModelKind::rnn);
  c.activation = spec::Activation::tanh;
  c.init = InitialValues::torch;
  c.optimizer = Algorithm::sgd;
  c.lr = 0.001;
  c.steps = 500;
  EXPECT_TRUE(found(findings_of(c, test::source(c)), "vanishing gradients", "--model gru"));
  c.activation = spec::Activation::relu;
  c.init = InitialValues::identity;
  EXPECT_TRUE(absent(findings_of(c, test::source(c)), "vanishing gradients"));
}

TEST(Diagnosis, DeadUnitsAndAConstantOutput) {
  Config c = without_clipping(0.005);
  c.steps = 2;
  const auto findings = findings_of(c, test::source(c));
  EXPECT_TRUE(found(findings, "dead units", "--activation tanh"));
  EXPECT_TRUE(found(findings, "constant output", "--lr"));
  c = without_clipping(1e-5);
  c.steps = 2;
  EXPECT_TRUE(absent(findings_of(c, test::source(c)), "dead units"));
  EXPECT_TRUE(absent(findings_of(c, test::source(c)), "constant output"));
}

TEST(Diagnosis, AccuracyAtChance) {
  Config c = images_config(ModelKind::fnn);
  c.lr = 1e-12;
  EXPECT_TRUE(found(findings_of(c, images(c)), "accuracy at chance", "--lr"));
  c.lr = 0.1;
  EXPECT_TRUE(absent(findings_of(c, images(c)), "accuracy at chance"));
}

TEST(Diagnosis, NamesNoFlagThatTheRunHas) {
  Config c = without_clipping(0.005);
  c.steps = 2;
  for (const Finding& f : findings_of(c, test::source(c)))
    EXPECT_EQ(f.remedy.find("--init identity"), std::string::npos) << f.name << ": " << f.remedy;
  Signs signs;
  signs.step = 500;
  signs.inside.emplace();
  signs.inside->rows = 32;
  signs.inside->times = {1, 2, 3, 4, 5, 6};
  LayerInside layer;
  layer.name = "lstm";
  layer.gradient = {1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1};
  signs.inside->layers.push_back(layer);
  Config lstm = adding_config(ModelKind::lstm);
  lstm.init = InitialValues::torch;
  lstm.forget_bias = 0;
  EXPECT_EQ(diagnose(lstm, signs).at(0).remedy, "--forget-bias 1, or --init orthogonal");
  lstm.forget_bias = 1;
  lstm.init = InitialValues::orthogonal;
  EXPECT_EQ(diagnose(lstm, signs).at(0).remedy, "more --steps");
}

TEST(Diagnosis, LowerLayersOfAStackAreSeen) {
  Config c = adding_config(ModelKind::rnn);
  c.layers = 2;
  c.activation = spec::Activation::tanh;
  c.init = InitialValues::torch;
  c.optimizer = Algorithm::sgd;
  c.lr = 0.001;
  c.steps = 500;
  EXPECT_TRUE(found(findings_of(c, test::source(c)), "vanishing gradients", "--model gru"));
}

TEST(Diagnosis, SaysNothingWithoutAnEvaluation) {
  EXPECT_TRUE(diagnose(images_config(ModelKind::rnn), {}).empty());
}

}  // namespace
}  // namespace unroll::train
