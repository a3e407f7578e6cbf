// Readouts and penalties on outputs against finite differences.
#include "unroll/nn/readout.h"

#include <gtest/gtest.h>

#include "support/gradcheck.h"
#include "support/tensors.h"
#include "unroll/autograd/ops.h"
#include "unroll/nn/activation_regularisation.h"

namespace unroll {
namespace {

TEST(ReadoutGradient, OfAllKinds) {
  const std::vector<std::int64_t> ragged{2, 4, 1};
  for (const bool batch_first : {false, true})
    for (const bool all : {false, true}) {
      Tensor y = test::random_tensor(batch_first ? Shape{3, 4, 2} : Shape{4, 3, 2}, DType::f64, 1);
      y.set_requires_grad(true);
      nn::BatchLayout layout{.batch_first = batch_first};
      if (!all) layout.lengths = ragged;
      using enum nn::Readout;
      for (const nn::Readout kind : {last, mean, max, mean_last, every_step})
        EXPECT_TRUE(test::gradients_agree([&] { return nn::readout(y, kind, layout); }, {y}))
            << static_cast<int>(kind);
      EXPECT_TRUE(
          test::gradients_agree([&] { return nn::activation_regularisation(y, 2, layout); }, {y}));
      EXPECT_TRUE(test::gradients_agree(
          [&] { return nn::temporal_activation_regularisation(y, 2, layout) * 3; }, {y}));
    }
}

}  // namespace
}  // namespace unroll
