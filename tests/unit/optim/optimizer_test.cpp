// What all optimizers promise, and the ranges of their options; their numbers are in tests/golden.
#include "unroll/optim/optimizer.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <ostream>
#include <string>

#include "support/expect_error.h"
#include "support/flush_to_zero.h"
#include "support/tensors.h"
#include "support/threads.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/optim/adagrad.h"
#include "unroll/optim/adam.h"
#include "unroll/optim/muon.h"
#include "unroll/optim/rmsprop.h"
#include "unroll/optim/sgd.h"

namespace unroll::optim {
namespace {

using test::error_of;
using Values = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

struct Kind {
  const char* name;
  std::unique_ptr<Optimizer> (*make)(const Parameters&);
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

const Kind kinds[] = {
    {"sgd",
     [](const Parameters& p) -> std::unique_ptr<Optimizer> {
       return std::make_unique<Sgd>(p, SgdOptions{.lr = 0.1});
     }},
    {"sgd_momentum",
     [](const Parameters& p) -> std::unique_ptr<Optimizer> {
       return std::make_unique<Sgd>(
           p, SgdOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true});
     }},
    {"adam",
     [](const Parameters& p) -> std::unique_ptr<Optimizer> {
       return std::make_unique<Adam>(p, AdamOptions{.weight_decay = 0.1});
     }},
    {"adamw",
     [](const Parameters& p) -> std::unique_ptr<Optimizer> { return std::make_unique<AdamW>(p); }},
    {"adam_amsgrad",
     [](const Parameters& p) -> std::unique_ptr<Optimizer> {
       return std::make_unique<Adam>(p, AdamOptions{.amsgrad = true});
     }},
    {"rmsprop",
     [](const Parameters& p) -> std::unique_ptr<Optimizer> {
       return std::make_unique<RmsProp>(p);
     }},
    {"rmsprop_centered",
     [](const Parameters& p) -> std::unique_ptr<Optimizer> {
       return std::make_unique<RmsProp>(
           p, RmsPropOptions{.weight_decay = 0.1, .momentum = 0.9, .centered = true});
     }},
    {"adagrad",
     [](const Parameters& p) -> std::unique_ptr<Optimizer> {
       return std::make_unique<Adagrad>(p, AdagradOptions{.lr_decay = 0.1, .weight_decay = 0.1});
     }},
    {"muon",
     [](const Parameters& p) -> std::unique_ptr<Optimizer> { return std::make_unique<Muon>(p); }},
};

class EveryOptimizer : public ::testing::TestWithParam<Kind> {
 protected:
  EveryOptimizer() {
    parameters_ = {{"matrix", leaf({2, 2}), 1}, {"other", leaf({2, 2})}, {"bias", leaf({3})}};
    optimizer_ = GetParam().make(parameters_);
  }

  static Tensor leaf(const Shape& shape) {
    return Tensor::full(shape, 0.5, DType::f64).set_requires_grad(true);
  }
  static Tensor gradient_of(const Parameter& p) {
    Tensor gradient = Tensor::empty(p.value.shape(), DType::f64);
    for (double v = 1; double& g : gradient.values<double>()) g = v = -0.7 * v;
    return gradient;
  }
  void give(std::size_t index) {
    parameters_[index].value.backward(gradient_of(parameters_[index]));
  }
  Values values(std::size_t index) const { return parameters_[index].value.to_vector(); }

  Parameters parameters_;
  std::unique_ptr<Optimizer> optimizer_;
};

TEST_P(EveryOptimizer, ParameterWithoutGradientIsLeftAsItIs) {
  give(0);
  give(2);
  const Values before = values(1);
  for (int i = 0; i < 3; ++i) optimizer_->step();
  EXPECT_EQ(values(1), before);
  EXPECT_NE(values(0), Values(4, 0.5));
  EXPECT_NE(values(2), Values(3, 0.5));
}

TEST_P(EveryOptimizer, ZeroGradForgetsAllGradients) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) give(i);
  optimizer_->zero_grad();
  for (const Parameter& p : parameters_) EXPECT_FALSE(p.value.grad().defined()) << p.name;
  optimizer_->step();
  EXPECT_EQ(values(0), Values(4, 0.5));
  EXPECT_EQ(values(2), Values(3, 0.5));
}

TEST_P(EveryOptimizer, FactorOfZeroMovesNothing) {
  EXPECT_EQ(optimizer_->lr_factor(), 1);
  optimizer_->set_lr_factor(0);
  for (std::size_t i = 0; i < parameters_.size(); ++i) give(i);
  optimizer_->step();
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    for (const double v : values(i)) EXPECT_EQ(v, 0.5);
}

TEST_P(EveryOptimizer, GradientsAreNotChanged) {
  give(0);
  optimizer_->step();
  EXPECT_EQ(parameters_[0].value.grad().to_vector(), gradient_of(parameters_[0]).to_vector());
}

TEST_P(EveryOptimizer, NothingIsRecorded) {
  give(0);
  optimizer_->step();
  EXPECT_TRUE(parameters_[0].value.requires_grad());
  parameters_[0].value.set_requires_grad(true);  // still a leaf
}

TEST_P(EveryOptimizer, NanGradientIsShown) {
  parameters_[0].value.backward(Tensor::full({2, 2}, NAN, DType::f64));
  optimizer_->step();
  for (const double v : values(0)) EXPECT_TRUE(std::isnan(v));
}

TEST_P(EveryOptimizer, SubnormalValuesAreKeptWhateverTheCallerSet) {
  parameters_[2].value.values<double>()[0] = 0x1p-1074;
  optimizer_->set_lr_factor(0);
  give(2);
  const test::FlushToZero flush;
  optimizer_->step();
  EXPECT_EQ(std::bit_cast<std::uint64_t>(parameters_[2].value.values<double>()[0]), 1u);
}

// A copy of the parameters and the state goes on to the same bits.
TEST_P(EveryOptimizer, StateIsAllThereIsToRemember) {
  const auto step = [](const Parameters& parameters, Optimizer& optimizer, double scale) {
    optimizer.zero_grad();
    for (const Parameter& p : parameters) p.value.backward(gradient_of(p) * scale);
    optimizer.step();
  };
  for (const double scale : {1.0, 0.3}) step(parameters_, *optimizer_, scale);
  Parameters copies, state;
  for (const Parameter& p : parameters_)
    copies.push_back({p.name, p.value.clone().set_requires_grad(true), p.gates});
  for (const Parameter& s : optimizer_->state()) state.push_back({s.name, s.value.clone()});
  const auto other = GetParam().make(copies);
  other->load_state(state);
  for (const double scale : {-0.2, 2.0, 0.1}) {
    step(parameters_, *optimizer_, scale);
    step(copies, *other, scale);
    for (std::size_t i = 0; i < copies.size(); ++i)
      EXPECT_EQ(test::bits_of(copies[i].value), test::bits_of(parameters_[i].value));
  }
}

TEST_P(EveryOptimizer, StateCountsTheUpdatesOfEachParameter) {
  give(1);
  optimizer_->step();
  give(2);
  optimizer_->step();
  std::map<std::string, double> steps;
  for (const Parameter& s : optimizer_->state())
    if (s.name.ends_with(".step")) steps[s.name] = s.value.item();
  EXPECT_EQ(steps, (std::map<std::string, double>{
                       {"matrix.step", 0}, {"other.step", 2}, {"bias.step", 1}}));
}

TEST_P(EveryOptimizer, ParameterThatIsThereTwiceIsRefused) {
  parameters_.push_back(parameters_[0]);
  EXPECT_EQ(error_of<ValueError>([&] { GetParam().make(parameters_); }),
            "[optimizer] matrix is listed twice; list every parameter once, in one group");
}

// 50,001 elements are three pieces and a rest. The elements around the borders are updated as those
// of a small parameter are.
TEST_P(EveryOptimizer, PiecesOfALargeParameterMoveAsASmallOne) {
  constexpr std::size_t kPiece = 16 * 1024;
  const std::vector<std::size_t> places = {0,          1,          kPiece - 1, kPiece,
                                           2 * kPiece, 3 * kPiece, 50'000};
  const auto picked = [&](const Tensor& large) {
    std::vector<float> few;
    for (const std::size_t at : places) few.push_back(large.values<float>()[at]);
    return Tensor::from(few, {static_cast<std::int64_t>(few.size())});
  };
  for (const int threads : {1, 2, 3}) {
    const test::Threads guard(threads);
    const Tensor start = test::random_tensor({50'001}, DType::f32, 1);
    const Parameters large{{"first", start.select(0, 0).clone().set_requires_grad(true)},
                           {"w", start.clone().set_requires_grad(true)},
                           {"last", start.select(0, 1).clone().set_requires_grad(true)}};
    const Parameters small{{"w", picked(start).set_requires_grad(true)}};
    const auto of_large = GetParam().make(large), of_small = GetParam().make(small);
    for (const std::uint64_t step : {2u, 3u, 4u}) {
      of_large->zero_grad();
      of_small->zero_grad();
      const Tensor gradient = test::random_tensor({50'001}, DType::f32, step);
      for (const std::size_t i : {0u, 2u}) large[i].value.backward(Tensor::full({}, 0.5));
      large[1].value.backward(gradient);
      small[0].value.backward(picked(gradient));
      of_large->step();
      of_small->step();
      ASSERT_EQ(test::bits_of(picked(large[1].value)), test::bits_of(small[0].value)) << threads;
      ASSERT_NE(test::bits_of(large[0].value), test::bits_of(start.select(0, 0)));
      ASSERT_NE(test::bits_of(large[2].value), test::bits_of(start.select(0, 1)));
    }
  }
}

TEST_P(EveryOptimizer, ParameterWithGapsIsRefused) {
  const Parameters p{{"w", Tensor::zeros({3, 2}).transpose(0, 1).set_requires_grad(true)}};
  const auto optimizer = GetParam().make(p);
  p[0].value.backward(Tensor::full({2, 3}, 1));
  EXPECT_THROW(optimizer->step(), ShapeError);
}

INSTANTIATE_TEST_SUITE_P(All, EveryOptimizer, ::testing::ValuesIn(kinds),
                         ::testing::PrintToStringParamName());

std::vector<std::string> names_of(const Parameters& parameters) {
  std::vector<std::string> names;
  for (const Parameter& p : parameters) names.push_back(p.name);
  return names;
}

// PyTorch's names; only what the options need is there.
TEST(OptimizerState, HasPyTorchsNames) {
  using Names = std::vector<std::string>;
  const Parameters p{{"w", Tensor::zeros({2, 3}).set_requires_grad(true)}};
  EXPECT_EQ(names_of(Sgd(p).state()), Names{"w.step"});
  EXPECT_EQ(names_of(Sgd(p, {.momentum = 0.5}).state()), (Names{"w.step", "w.momentum_buffer"}));
  EXPECT_EQ(names_of(AdamW(p).state()), (Names{"w.step", "w.exp_avg", "w.exp_avg_sq"}));
  EXPECT_EQ(names_of(Adam(p, {.amsgrad = true}).state()),
            (Names{"w.step", "w.exp_avg", "w.exp_avg_sq", "w.max_exp_avg_sq"}));
  EXPECT_EQ(names_of(RmsProp(p).state()), (Names{"w.step", "w.square_avg"}));
  EXPECT_EQ(names_of(RmsProp(p, {.momentum = 0.5, .centered = true}).state()),
            (Names{"w.step", "w.square_avg", "w.grad_avg", "w.momentum_buffer"}));
  EXPECT_EQ(names_of(Adagrad(p).state()), (Names{"w.step", "w.sum"}));
  const Parameters both{{"b", p[0].value}, {"w", Tensor::zeros({2, 3}), 1}};
  EXPECT_EQ(names_of(Muon(both).state()),
            (Names{"w.step", "w.momentum_buffer", "b.step", "b.exp_avg", "b.exp_avg_sq"}));
}

TEST(OptimizerState, ThatDoesNotFitIsRefusedWhole) {
  const Parameters p{{"w", Tensor::zeros({2}).set_requires_grad(true)}};
  Sgd sgd(p, {.momentum = 0.5});
  EXPECT_EQ(error_of<FormatError>([&] {
              sgd.load_state({{"w.momentum_buffer", Tensor::zeros({3})}, {"extra", Tensor()}});
            }),
            "[load] w.step is missing; w.momentum_buffer has shape [3], expected [2]; "
            "extra is not part of this optimizer");
  const Parameters twice{{"w.step", Tensor::full({}, 5, DType::i64)},
                         {"w.momentum_buffer", Tensor::full({2}, 1)},
                         {"w.step", Tensor::full({}, 6, DType::i64)}};
  EXPECT_EQ(error_of<FormatError>([&] { sgd.load_state(twice); }), "[load] w.step is listed twice");
  for (const Parameter& s : sgd.state())
    for (const double v : s.value.to_vector()) EXPECT_EQ(v, 0) << s.name;
}

TEST(OptimizerState, TypesAreConverted) {
  const Parameters p{{"w", Tensor::zeros({2}).set_requires_grad(true)}};
  Sgd sgd(p, {.momentum = 0.5});
  sgd.load_state({{"w.step", Tensor::full({}, 3, DType::f32)},
                  {"w.momentum_buffer", Tensor::full({2}, 1.5, DType::f64)}});
  EXPECT_EQ(sgd.state()[0].value.dtype(), DType::i64);
  EXPECT_EQ(sgd.state()[0].value.item(), 3);
  EXPECT_EQ(sgd.state()[1].value.dtype(), DType::f32);
  EXPECT_EQ(sgd.state()[1].value.to_vector(), (Values{1.5, 1.5}));
}

/// A matrix of a recurrent layer, and a bias.
Parameters some_parameters() {
  return {{"w", Tensor::zeros({2, 2}), 1}, {"b", Tensor::zeros({2})}};
}

template <class O, class Options>
void expect_refused(const Options& options) {
  EXPECT_THROW(O(some_parameters(), options), ValueError);
}

TEST(OptimizerOptions, LearningRateMustBeAFiniteNumberOfAtLeastZero) {
  for (const double lr : {nan_value, -1e-9, infinity, -infinity}) {
    expect_refused<Sgd>(SgdOptions{.lr = lr});
    expect_refused<Adam>(AdamOptions{.lr = lr});
    expect_refused<AdamW>(AdamWOptions{.lr = lr});
    expect_refused<RmsProp>(RmsPropOptions{.lr = lr});
    expect_refused<Adagrad>(AdagradOptions{.lr = lr});
    expect_refused<Muon>(MuonOptions{.lr = lr});
    expect_refused<Muon>(MuonOptions{.others = {.lr = lr}});
  }
  EXPECT_EQ(error_of<ValueError>([] { Sgd(some_parameters(), {.lr = NAN}); }),
            "[sgd] lr = nan, expected 0 <= lr < inf");
  EXPECT_EQ(error_of<ValueError>([] { AdamW(some_parameters(), {.lr = -1}); }),
            "[adamw] lr = -1, expected 0 <= lr < inf");
  Sgd(some_parameters(), {.lr = 0});
}

TEST(OptimizerOptions, RestOfSgds) {
  for (const double bad : {nan_value, -0.1, infinity}) {
    expect_refused<Sgd>(SgdOptions{.momentum = bad});
    expect_refused<Sgd>(SgdOptions{.momentum = 0.9, .dampening = bad});
    expect_refused<Sgd>(SgdOptions{.weight_decay = bad});
  }
  EXPECT_EQ(
      error_of<ValueError>([] { Sgd(some_parameters(), {.nesterov = true}); }),
      "[sgd] momentum is 0 and dampening 0; nesterov expects a momentum above 0 and no dampening");
  expect_refused<Sgd>(SgdOptions{.momentum = 0.9, .dampening = 0.1, .nesterov = true});
}

TEST(OptimizerOptions, RestOfAdams) {
  for (const double bad : {nan_value, -0.1, 1.0, 1.5}) {
    expect_refused<Adam>(AdamOptions{.beta1 = bad});
    expect_refused<Adam>(AdamOptions{.beta2 = bad});
  }
  for (const double bad : {nan_value, -1e-12, infinity}) {
    expect_refused<Adam>(AdamOptions{.eps = bad});
    expect_refused<Adam>(AdamOptions{.weight_decay = bad});
  }
}

TEST(OptimizerOptions, RestOfRmsProps) {
  for (const double bad : {nan_value, -0.1, 1.0, 1.5})
    expect_refused<RmsProp>(RmsPropOptions{.alpha = bad});
  for (const double bad : {nan_value, -1e-12, infinity}) {
    expect_refused<RmsProp>(RmsPropOptions{.eps = bad});
    expect_refused<RmsProp>(RmsPropOptions{.weight_decay = bad});
    expect_refused<RmsProp>(RmsPropOptions{.momentum = bad});
  }
  EXPECT_EQ(error_of<ValueError>([] { RmsProp(some_parameters(), {.alpha = 1}); }),
            "[rmsprop] alpha = 1, expected 0 <= alpha < 1");
}

TEST(OptimizerOptions, RestOfAdagrads) {
  for (const double bad : {nan_value, -1e-12, infinity}) {
    expect_refused<Adagrad>(AdagradOptions{.lr_decay = bad});
    expect_refused<Adagrad>(AdagradOptions{.weight_decay = bad});
    expect_refused<Adagrad>(AdagradOptions{.initial_accumulator_value = bad});
    expect_refused<Adagrad>(AdagradOptions{.eps = bad});
  }
  EXPECT_EQ(error_of<ValueError>([] { Adagrad(some_parameters(), {.eps = -1}); }),
            "[adagrad] eps = -1, expected 0 <= eps < inf");
}

TEST(OptimizerOptions, RestOfMuons) {
  for (const double bad : {nan_value, -0.1, 1.0})
    expect_refused<Muon>(MuonOptions{.momentum = bad});
  for (const int bad : {0, -1, 100}) expect_refused<Muon>(MuonOptions{.ns_steps = bad});
}

}  // namespace
}  // namespace unroll::optim
