// What all optimizers promise, and the ranges of their options; their numbers are in tests/golden.
#include "unroll/optim/optimizer.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <ostream>

#include "support/expect_error.h"
#include "support/flush_to_zero.h"
#include "unroll/core/error.h"
#include "unroll/optim/adam.h"
#include "unroll/optim/muon.h"
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

TEST_P(EveryOptimizer, NoParametersAreNoError) {
  const auto empty = GetParam().make({});
  empty->zero_grad();
  empty->step();
}

INSTANTIATE_TEST_SUITE_P(All, EveryOptimizer, ::testing::ValuesIn(kinds),
                         ::testing::PrintToStringParamName());

template <class O, class Options>
void expect_refused(const Options& options) {
  EXPECT_THROW(O({}, options), ValueError);
}

TEST(OptimizerOptions, LearningRateMustBeAFiniteNumberOfAtLeastZero) {
  for (const double lr : {nan_value, -1e-9, infinity, -infinity}) {
    expect_refused<Sgd>(SgdOptions{.lr = lr});
    expect_refused<Adam>(AdamOptions{.lr = lr});
    expect_refused<AdamW>(AdamWOptions{.lr = lr});
    expect_refused<Muon>(MuonOptions{.lr = lr});
    expect_refused<Muon>(MuonOptions{.others = {.lr = lr}});
  }
  EXPECT_EQ(error_of<ValueError>([] { Sgd({}, {.lr = NAN}); }),
            "[sgd] lr = nan, expected 0 <= lr < inf");
  EXPECT_EQ(error_of<ValueError>([] { AdamW({}, {.lr = -1}); }),
            "[adamw] lr = -1, expected 0 <= lr < inf");
  Sgd({}, {.lr = 0});
}

TEST(OptimizerOptions, RestOfSgds) {
  for (const double bad : {nan_value, -0.1, infinity}) {
    expect_refused<Sgd>(SgdOptions{.momentum = bad});
    expect_refused<Sgd>(SgdOptions{.momentum = 0.9, .dampening = bad});
    expect_refused<Sgd>(SgdOptions{.weight_decay = bad});
  }
  EXPECT_EQ(error_of<ValueError>([] { Sgd({}, {.nesterov = true}); }),
            "[sgd] Nesterov's method needs a momentum and no dampening");
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

TEST(OptimizerOptions, RestOfMuons) {
  for (const double bad : {nan_value, -0.1, 1.0})
    expect_refused<Muon>(MuonOptions{.momentum = bad});
  for (const int bad : {0, -1, 100}) expect_refused<Muon>(MuonOptions{.ns_steps = bad});
}

}  // namespace
}  // namespace unroll::optim
