#include "train/loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/expect_error.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/data/sequence_tasks.h"

namespace unroll::train {
namespace {

const Tensor labels = Tensor::from(std::vector<std::int64_t>{2, 0}, {2});

TEST(Loss, OfLogitsByHand) {
  const Tensor logits = Tensor::from(std::vector<double>{0, 0, 1, 0, 0, 0}, {2, 3});
  const double expected = std::log(2 + std::exp(1)) - 1 + std::log(3);
  EXPECT_NEAR(sum(losses_of(spec::Output::logits, logits, labels)).item(), expected, 1e-15);
}

// Squared errors against (0, 0, 1) and (1, 0, 0).
TEST(Loss, OfScoresByHand) {
  const Tensor scores = Tensor::from(std::vector<double>{0.5, 0, 1, 0, -1, 2}, {2, 3});
  EXPECT_EQ(sum(losses_of(spec::Output::scores, scores, labels)).item(), 0.25 + 0 + 0 + 1 + 1 + 4);
}

TEST(Loss, CountsTheTermsOfItsMean) {
  const Tensor some =
      Tensor::from(std::vector<std::int64_t>{data::no_target, 2, data::no_target, 0, 1, 1}, {2, 3});
  EXPECT_EQ(count_losses(spec::Output::logits, some, 4), 4);
  EXPECT_EQ(count_losses(spec::Output::scores, labels, 3), 6);
  EXPECT_EQ(count_losses(spec::Output::values, Tensor::zeros({5, 2}), 2), 10);
}

TEST(Loss, WhatDoesNotFitIsRefused) {
  const Tensor scores = Tensor::zeros({2, 2});
  for (const auto kind : {spec::Output::logits, spec::Output::scores}) {
    EXPECT_THROW(losses_of(kind, scores, labels), ValueError);  // there is no class 2
    EXPECT_THROW(losses_of(kind, Tensor::zeros({3, 3}), labels), ShapeError);
    EXPECT_THROW(losses_of(kind, Tensor::zeros({2}), labels), ShapeError);
  }
}

}  // namespace
}  // namespace unroll::train
