// Masks of dropout between layers that a call is given.
#include <gtest/gtest.h>

#include "support/any_recurrent.h"
#include "support/expect_error.h"
#include "support/kernel_test.h"
#include "support/tensors.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/nn/mask.h"
#include "unroll/nn/recurrent.h"

namespace unroll::nn {
namespace {

using test::AnyRecurrent;
using test::error_of;
using test::RecurrentKind;

class RnnLayersMasks : public test::KernelTest {};

/// Gives a layer of one level the weights that another has at `level`.
void share_of_zeros(AnyRecurrent& from, std::string level, AnyRecurrent& to) {
  Parameters named;
  for (const Parameter& p : from.layer().parameters()) {
    const std::size_t at = p.name.find(level);
    if (at == std::string::npos) continue;
    named.push_back({std::string(p.name).replace(at, level.size(), "_l0"), p.value, p.gates});
  }
  to.layer().load(named);
}

// By hand: two layers of one level each, with the mask and 1 / (1 - p) between them.
TEST_F(RnnLayersMasks, GivenDropoutIsTheMaskBetweenTwoLayers) {
  const std::vector<std::int64_t> lengths{2, 4, 1};
  const double p = 0.4;
  for (const RecurrentKind kind : test::recurrent_kinds)
    for (const bool ragged : {false, true}) {
      const auto both =
          test::make_recurrent(kind, 3, 5, {.num_layers = 2, .dropout = p, .bidirectional = true});
      const auto lower = test::make_recurrent(kind, 3, 5, {.bidirectional = true}),
                 upper = test::make_recurrent(kind, 10, 5, {.bidirectional = true});
      share_of_zeros(*both, "_l0", *lower);
      share_of_zeros(*both, "_l1", *upper);
      const Tensor mask = bernoulli_mask({4, 3, 10}, 1 - p, {1, 2, 3});
      std::vector<RecurrentMasks> masks(4);
      masks[2].keep_input = mask;
      const auto cut = ragged ? std::span(lengths) : std::span<const std::int64_t>();
      Tensor x = test::random_tensor({4, 3, 3}, DType::f32, 1), x_hand = x.clone();
      x.set_requires_grad(true);
      x_hand.set_requires_grad(true);

      const auto got = (*both)(x, {}, {.lengths = cut, .masks = masks});
      const auto below = (*lower)(x_hand, {}, {.lengths = cut});
      const auto above = (*upper)(below.output * (mask * (1 / (1 - p))), {}, {.lengths = cut});
      EXPECT_EQ(test::bits_of(got.output), test::bits_of(above.output)) << test::name_of(kind);
      sum(got.output * got.output).backward();
      sum(above.output * above.output).backward();
      EXPECT_EQ(test::bits_of(x.grad()), test::bits_of(x_hand.grad())) << test::name_of(kind);
      EXPECT_EQ(both->layer().masks().step(), 0u);  // nothing was drawn
    }
}

TEST_F(RnnLayersMasks, GivenDropoutThatDoesNotFitIsNamed) {
  const auto rnn = test::make_recurrent(RecurrentKind::gru, 3, 5,
                                        {.num_layers = 2, .dropout = 0.5, .bidirectional = true});
  const auto call = [&](std::size_t place, const Shape& shape) {
    std::vector<RecurrentMasks> masks(4);
    masks[place].keep_input = Tensor::zeros(shape);
    (*rnn)(Tensor::zeros({4, 2, 3}), {}, {.masks = masks});
  };
  EXPECT_EQ(error_of<ShapeError>([&] {
              call(2, {4, 2, 5});
            }),
            "[gru] mask keep_input of layer 1 is f32 of shape [4, 2, 5], expected f32 of shape "
            "[4, 2, 10]");
  EXPECT_EQ(error_of<ValueError>([&] {
              call(0, {4, 2, 3});
            }),
            "[gru] keep_input of the first layer is given, but dropout is between layers; use "
            "keep_x");
  EXPECT_EQ(error_of<ValueError>([&] {
              call(3, {4, 2, 10});
            }),
            "[gru] keep_input of a reverse direction is given, but both directions use the forward "
            "direction's");
}

}  // namespace
}  // namespace unroll::nn
