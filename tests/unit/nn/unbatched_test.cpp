// One sequence without a batch, (T, I): what a batch of that sequence alone gives.
#include <gtest/gtest.h>

#include "support/any_recurrent.h"
#include "support/expect_error.h"
#include "support/kernel_test.h"
#include "support/tensors.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/nn/recurrent.h"

namespace unroll::nn {
namespace {

using test::AnyRecurrent;
using test::error_of;
using test::RecurrentKind;
using test::RecurrentResult;

class RnnLayersUnbatched : public test::KernelTest {};

std::unique_ptr<AnyRecurrent> make_unbatched(RecurrentKind kind, bool batch_first,
                                             std::int64_t proj_size = 0) {
  Generator generator(3);
  return test::make_recurrent(kind, 3, 5,
                              {.num_layers = 2,
                               .batch_first = batch_first,
                               .dropout = 0.3,
                               .bidirectional = true,
                               .generator = &generator},
                              proj_size);
}

/// The gradients of the parameters, of one call at a time.
std::vector<std::vector<std::uint64_t>> take_gradients(AnyRecurrent& rnn) {
  std::vector<std::vector<std::uint64_t>> gradients;
  for (const Parameter& p : rnn.layer().parameters()) {
    Tensor value = p.value;
    gradients.push_back(test::bits_of(value.grad()));
    value.clear_grad();
  }
  return gradients;
}

/// What reaches every output.
Tensor loss_of(const RecurrentResult& r) {
  const Tensor loss = sum(r.output * r.output) + sum(r.h_n * r.h_n);
  return r.c_n.defined() ? loss + sum(r.c_n) : loss;
}

TEST_F(RnnLayersUnbatched, IsABatchOfOne) {
  for (const RecurrentKind kind : test::recurrent_kinds)
    for (const bool batch_first : {false, true}) {
      const bool lstm = kind == RecurrentKind::lstm;
      const std::int64_t width = lstm ? 2 : 5;
      const auto rnn = make_unbatched(kind, batch_first, lstm ? 2 : 0);
      const auto leaf = [&](const Shape& shape, std::uint64_t seed) {
        return test::random_tensor(shape, DType::f32, seed).set_requires_grad(true);
      };
      const Tensor x = leaf({7, 3}, 1), h = leaf({4, width}, 2), c = leaf({4, 5}, 3);
      const auto batch_of_one = [&](const Tensor& t, const Shape& shape) {
        return t.detach().clone().view(shape).set_requires_grad(true);
      };
      const Tensor x_1 = batch_of_one(x, batch_first ? Shape{1, 7, 3} : Shape{7, 1, 3}),
                   h_1 = batch_of_one(h, {4, 1, width}), c_1 = batch_of_one(c, {4, 1, 5});

      const RecurrentResult one = (*rnn)(x, {h, lstm ? c : Tensor()});
      loss_of(one).backward();
      const auto gradients = take_gradients(*rnn);
      rnn->layer().masks().set_step(0);  // the same dropout
      const RecurrentResult batch = (*rnn)(x_1, {h_1, lstm ? c_1 : Tensor()});
      loss_of(batch).backward();

      EXPECT_EQ(one.output.shape(), (Shape{7, 2 * width}));
      EXPECT_EQ(one.h_n.shape(), (Shape{4, width}));
      EXPECT_EQ(one.c_n.defined(), lstm);
      EXPECT_EQ(test::bits_of(one.output), test::bits_of(batch.output));
      EXPECT_EQ(test::bits_of(one.h_n), test::bits_of(batch.h_n));
      EXPECT_EQ(gradients, take_gradients(*rnn));
      EXPECT_EQ(x.grad().shape(), x.shape());
      EXPECT_EQ(test::bits_of(x.grad()), test::bits_of(x_1.grad()));
      EXPECT_EQ(test::bits_of(h.grad()), test::bits_of(h_1.grad()));
      if (!lstm) continue;
      EXPECT_EQ(one.c_n.shape(), (Shape{4, 5}));
      EXPECT_EQ(test::bits_of(one.c_n), test::bits_of(batch.c_n));
      EXPECT_EQ(test::bits_of(c.grad()), test::bits_of(c_1.grad()));
    }
}

TEST_F(RnnLayersUnbatched, StateIsWhatTheNextCallTakes) {
  const auto rnn = make_unbatched(RecurrentKind::lstm, false);
  rnn->layer().eval();
  const auto [output, h_n, c_n] = (*rnn)(test::random_tensor({4, 3}, DType::f32, 1));
  EXPECT_NO_THROW((*rnn)(Tensor::zeros({2, 3}), {h_n, c_n}));
}

TEST_F(RnnLayersUnbatched, WhatDoesNotFitIsNamed) {
  const auto rnn = make_unbatched(RecurrentKind::gru, true);
  EXPECT_EQ(error_of<ShapeError>([&] {
              (*rnn)(Tensor::zeros({7, 4}));
            }),
            "[gru] input has shape [7, 4], expected [steps, 3], or [batch, steps, 3]");
  EXPECT_THROW((*rnn)(Tensor::zeros({0, 3})), ShapeError);
  EXPECT_THROW((*rnn)(Tensor::zeros({3})), ShapeError);
  const std::vector<std::int64_t> lengths{7};
  EXPECT_EQ(error_of<ValueError>([&] {
              (*rnn)(Tensor::zeros({7, 3}), {}, {.lengths = lengths});
            }),
            "[gru] lengths are given, but the input of shape [7, 3] is a single sequence; cut it "
            "to its length, or give a batch");
  EXPECT_EQ(error_of<ShapeError>([&] {
              (*rnn)(Tensor::zeros({7, 3}), {Tensor::zeros({4, 1, 5})});
            }),
            "[gru] h_0 is f32 of shape [4, 1, 5], expected f32 of shape [4, 5]");
  EXPECT_THROW((*rnn)(Tensor::zeros({7, 3}), {Tensor::zeros({4, 4})}), ShapeError);
  EXPECT_THROW((*rnn)(Tensor::zeros({7, 1, 3}), {Tensor::zeros({4, 5})}), ShapeError);
}

}  // namespace
}  // namespace unroll::nn
