#include "unroll/nn/readout.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/expect_error.h"
#include "support/tensors.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"
#include "unroll/nn/activation_regularisation.h"

namespace unroll::nn {
namespace {

using test::error_of;
using Values = std::vector<double>;

const std::vector<std::int64_t> lengths{1, 3};

/// (T 3, N 2, F 2); sequence 0 has one step, and NaN behind it.
Tensor output() {
  const double nan = NAN;
  return Tensor::from(Values{1, -2, 5, 6, nan, nan, 7, 1, nan, nan, 3, 8}, {3, 2, 2});
}

Values read(const Tensor& y, Readout kind, const BatchLayout& layout) {
  return readout(y, kind, layout).to_vector();
}

TEST(Readout, SeesTheStepsOfEachSequenceAlone) {
  for (const bool batch_first : {false, true}) {
    const Tensor y = batch_first ? output().transpose(0, 1) : output();
    const BatchLayout layout{lengths, batch_first};
    EXPECT_EQ(read(y, Readout::last, layout), (Values{1, -2, 3, 8}));
    EXPECT_EQ(read(y, Readout::mean, layout), (Values{1, -2, 5, 5}));
    EXPECT_EQ(read(y, Readout::max, layout), (Values{1, -2, 7, 8}));
    EXPECT_EQ(read(y, Readout::mean_last, layout), (Values{1, -2, 1, -2, 5, 5, 3, 8}));
    EXPECT_EQ(test::bits_of(readout(y, Readout::every_step, layout)), test::bits_of(y));
  }
}

TEST(Readout, WithoutLengthsSeesAllSteps) {
  const Tensor y = Tensor::from(Values{1, 2, 3, 4, 5, 9}, {3, 1, 2});
  EXPECT_EQ(read(y, Readout::last, {}), (Values{5, 9}));
  EXPECT_EQ(read(y, Readout::mean, {}), (Values{3, 5}));
  EXPECT_EQ(read(y, Readout::max, {}), (Values{5, 9}));
}

TEST(Readout, MaximumGivesItsGradientToTheFirstOfEquals) {
  Tensor y = Tensor::from(Values{1, 4, 4, 2}, {4, 1, 1});
  readout(y.set_requires_grad(true), Readout::max).backward();
  EXPECT_EQ(y.grad().to_vector(), (Values{0, 1, 0, 0}));
}

TEST(Readout, NanShows) {
  const Tensor y = Tensor::from(Values{1, NAN, 4}, {3, 1, 1});
  EXPECT_TRUE(std::isnan(readout(y, Readout::max).item()));
  EXPECT_TRUE(std::isnan(readout(y, Readout::mean).item()));
}

TEST(Readout, WhatDoesNotFitIsNamed) {
  EXPECT_EQ(error_of<ShapeError>([] {
              readout(Tensor::zeros({3, 2}), Readout::last);
            }),
            "[readout] output has shape [3, 2], expected [steps, batch, features]");
  EXPECT_THROW(readout(Tensor::zeros({0, 2, 2}), Readout::last), ShapeError);
  const std::vector<std::int64_t> wrong{1, 4};
  EXPECT_EQ(error_of<ValueError>([&] { readout(output(), Readout::mean, {.lengths = wrong}); }),
            "[readout] length 4 at index 1, expected 1 to 3");
}

TEST(ActivationRegularisation, IsTheMeanSquareOfWhatIsThere) {
  // 1 + 4 + 25 + 36 + 49 + 1 + 9 + 64 = 189 of 8 elements
  EXPECT_DOUBLE_EQ(activation_regularisation(output(), 2, {.lengths = lengths}).item(),
                   2 * 189 / 8.0);
  const Tensor y = Tensor::from(Values{1, 2, 3, 4}, {2, 1, 2});
  EXPECT_DOUBLE_EQ(activation_regularisation(y, 1).item(), 30 / 4.0);
  EXPECT_DOUBLE_EQ(activation_regularisation(y.transpose(0, 1), 1, {.batch_first = true}).item(),
                   30 / 4.0);
}

TEST(ActivationRegularisation, OfTimeIsTheMeanSquareOfSteps) {
  // Steps of (2, -5) and (-4, 7): 4 + 25 + 16 + 49 = 94 of 4 elements
  EXPECT_DOUBLE_EQ(temporal_activation_regularisation(output(), 3, {.lengths = lengths}).item(),
                   3 * 94 / 4.0);
  const std::vector<std::int64_t> ones{1, 1};
  EXPECT_EQ(temporal_activation_regularisation(output(), 3, {.lengths = ones}).item(), 0);
}

TEST(ActivationRegularisation, WhatDoesNotFitIsNamed) {
  EXPECT_EQ(error_of<ShapeError>([] {
              activation_regularisation(Tensor::zeros({3, 2}), 1);
            }),
            "[activation_regularisation] output has shape [3, 2], expected [steps, batch, "
            "features]");
  const std::vector<std::int64_t> wrong{1};
  EXPECT_THROW(temporal_activation_regularisation(output(), 1, {.lengths = wrong}), ShapeError);
  EXPECT_EQ(error_of<ValueError>([] { activation_regularisation(output(), NAN); }),
            "[activation_regularisation] factor is nan, expected a finite number");
  EXPECT_THROW(temporal_activation_regularisation(output(), NAN), ValueError);
}

}  // namespace
}  // namespace unroll::nn
