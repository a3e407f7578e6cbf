#include "train/loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/expect_error.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

const Tensor labels = Tensor::from(std::vector<std::int64_t>{2, 0}, {2});

TEST(Loss, OfLogitsByHand) {
  const Tensor logits = Tensor::from(std::vector<double>{0, 0, 1, 0, 0, 0}, {2, 3});
  const double expected = std::log(2 + std::exp(1)) - 1 + std::log(3);
  EXPECT_NEAR(loss_of(spec::Output::logits, logits, labels).item(), expected / 2, 1e-15);
  EXPECT_NEAR(loss_of(spec::Output::logits, logits, labels, nn::Reduction::sum).item(), expected,
              1e-15);
}

// Squared errors against (0, 0, 1) and (1, 0, 0).
TEST(Loss, OfScoresByHand) {
  const Tensor scores = Tensor::from(std::vector<double>{0.5, 0, 1, 0, -1, 2}, {2, 3});
  EXPECT_EQ(loss_of(spec::Output::scores, scores, labels, nn::Reduction::sum).item(),
            0.25 + 0 + 0 + 1 + 1 + 4);
  EXPECT_NEAR(loss_of(spec::Output::scores, scores, labels).item(), 6.25 / 6, 1e-15);
}

TEST(Loss, WhatDoesNotFitIsRefused) {
  const Tensor scores = Tensor::zeros({2, 2});
  for (const auto kind : {spec::Output::logits, spec::Output::scores}) {
    EXPECT_THROW(loss_of(kind, scores, labels), ValueError);  // there is no class 2
    EXPECT_THROW(loss_of(kind, Tensor::zeros({3, 3}), labels), ShapeError);
    EXPECT_THROW(loss_of(kind, Tensor::zeros({2}), labels), ShapeError);
  }
}

}  // namespace
}  // namespace unroll::train
