// What backward() promises besides right numbers, which tests/grad checks.
#include <gtest/gtest.h>

#include <thread>

#include "autograd/node.h"
#include "support/expect_error.h"
#include "support/tensors.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/rnn.h"

namespace unroll {
namespace {

using autograd::Gradient;
using test::error_of;
using Values = std::vector<double>;

Tensor leaf(const Values& values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())}).set_requires_grad(true);
}

TEST(Backward, GradientsOfTwoPassesAddUp) {
  const Tensor x = leaf({1, 2, 3});
  sum(x * x).backward();
  EXPECT_EQ(x.grad().to_vector(), (Values{2, 4, 6}));
  sum(x * 10.0).backward();
  EXPECT_EQ(x.grad().to_vector(), (Values{12, 14, 16}));
}

TEST(Backward, ClearedGradientIsAbsentNotZero) {
  Tensor x = leaf({1, 2});
  EXPECT_FALSE(x.grad().defined());
  sum(x).backward();
  ASSERT_TRUE(x.grad().defined());
  x.clear_grad();
  EXPECT_FALSE(x.grad().defined());
  sum(x * 3.0).backward();
  EXPECT_EQ(x.grad().to_vector(), (Values{3, 3}));
}

TEST(Backward, LeafThatNothingDependsOnHasNoGradient) {
  const Tensor x = leaf({1}), unused = leaf({1});
  sum(x).backward();
  EXPECT_FALSE(unused.grad().defined());
}

TEST(Backward, TwiceIsRefused) {
  const Tensor x = leaf({1, 2}), loss = sum(x * x);
  loss.backward();
  EXPECT_EQ(error_of<Error>([&] { loss.backward(); }),
            "[backward] backward() was called on part of this result before, which released its "
            "recorded operations; compute it again, or call backward() once on the sum");
  EXPECT_EQ(x.grad().to_vector(), (Values{2, 4}));
}

TEST(Backward, SharedPartTwiceIsRefused) {
  const Tensor x = leaf({1, 2}), shared = x * 2.0;
  sum(shared).backward();
  EXPECT_THROW(sum(shared * shared).backward(), Error);
}

TEST(Backward, ErrorLeavesNoTraces) {
  Tensor x = leaf({2});
  const Tensor alive = x * 5.0, shared = x * 2.0, end = shared * 1.0;
  sum(end).backward();
  EXPECT_THROW((sum(alive) + sum(end * end)).backward(), Error);
  x.clear_grad();
  sum(alive).backward();
  EXPECT_EQ(x.grad().to_vector(), Values{5});
}

TEST(Backward, WhatCanNotBeDifferentiatedIsRefused) {
  const Tensor x = leaf({1, 2});
  EXPECT_EQ(error_of<Error>([&] { sum(x.detach()).backward(); }),
            "[backward] no tensor that this result depends on requires a gradient; call "
            "set_requires_grad(true) on one");
  EXPECT_EQ(error_of<ShapeError>([&] { (x * 2.0).backward(); }),
            "[backward] a tensor of shape [2] has 2 elements; give a gradient of that shape, or "
            "reduce it to one number first");
  EXPECT_EQ(error_of<ShapeError>([&] { (x * 2.0).backward(Tensor::zeros({3}, DType::f64)); }),
            "[backward] the gradient is f64 of shape [3], expected f64 of shape [2]");
  EXPECT_THROW((x * 2.0).backward(Tensor::zeros({2}, DType::f32)), ShapeError);
  EXPECT_THROW(Tensor().backward(), Error);
}

TEST(Backward, GivenGradientWeighsTheElements) {
  const Tensor x = leaf({1, 2});
  (x * x).backward(Tensor::from(Values{10, 100}, {2}));
  EXPECT_EQ(x.grad().to_vector(), (Values{20, 400}));
}

TEST(Backward, OfALeafIsTheGivenGradient) {
  const Tensor x = leaf({1, 2}), gradient = Tensor::from(Values{3, 4}, {2});
  x.backward(gradient);
  EXPECT_EQ(x.grad().to_vector(), (Values{3, 4}));
  gradient.data<double>()[0] = 9;  // a copy, not a view of the caller's numbers
  EXPECT_EQ(x.grad().to_vector(), (Values{3, 4}));
}

TEST(Backward, NumbersOfAnotherThreadCanBeDifferentiatedHere) {
  Tensor x = leaf({2});
  Tensor y = x;
  for (int i = 0; i < 5; ++i) y = y * 1.0;
  Tensor squared;
  std::thread([&] { squared = y * y; }).join();
  sum(squared + y).backward();
  EXPECT_EQ(x.grad().to_vector(), Values{5});
}

TEST(Tape, LongChainOfOperations) {
  const Tensor x = leaf({1});
  for (const bool differentiated : {true, false}) {
    Tensor y = x;
    for (int i = 0; i < 300'000; ++i) y = y + x;
    if (differentiated) y.backward();
  }  // dropped: no deep recursion
  EXPECT_EQ(x.grad().to_vector(), Values{300'001});
}

TEST(Tape, ResultsOutliveWhatTheyWereMadeFrom) {
  const Tensor x = leaf({3});
  Tensor y;
  {
    const Tensor a = x * 2.0, b = tanh(a);
    y = b * a;
  }
  y.backward();
  EXPECT_TRUE(x.grad().defined());
}

TEST(NoGrad, NothingIsRecordedWhileOneLives) {
  const Tensor x = leaf({1});
  EXPECT_TRUE(grad_enabled());
  {
    const NoGrad outer;
    {
      const NoGrad inner;
      EXPECT_FALSE((x * 2.0).requires_grad());
    }
    EXPECT_FALSE(grad_enabled());
    EXPECT_FALSE(x.select(0, 0).requires_grad());
    bool enabled_elsewhere = false;
    std::thread([&] { enabled_elsewhere = grad_enabled(); }).join();
    EXPECT_TRUE(enabled_elsewhere);
  }
  EXPECT_TRUE((x * 2.0).requires_grad());
}

TEST(RequiresGrad, OnlyOfFloatingLeaves) {
  Tensor result = leaf({1}) * 2.0, labels = Tensor::zeros({2}, DType::i64);
  EXPECT_EQ(error_of<Error>([&] { result.set_requires_grad(false); }),
            "[requires_grad] this tensor is the result of an operation, expected a leaf; detach() "
            "it first");
  EXPECT_EQ(error_of<ShapeError>([&] { labels.set_requires_grad(true); }),
            "[requires_grad] got a tensor of i64, expected f32 or f64");
  EXPECT_FALSE(result.detach().requires_grad());
}

/// An operation that only passes on, and remembers the gradient that came.
struct Probe : autograd::Node {
  Gradient* seen = nullptr;
  void backward(std::span<const Gradient> outputs, std::span<Gradient> inputs_of) override {
    *seen = inputs_of[0] = outputs[0];
  }
};
Tensor probed(const Tensor& x, Gradient* seen) {
  Tensor y = x.detach();
  auto node = std::make_shared<Probe>();
  node->seen = seen;
  autograd::record(node, y, x);
  return y;
}

TEST(Part, LastStepOfASequenceIsNotMadeIntoZeros) {
  const Tensor x = test::random_tensor({5, 28, 3}, DType::f64, 1).set_requires_grad(true);
  nn::Linear fc(3, 2, {.dtype = DType::f64});
  Gradient seen;
  sum(fc(probed(x, &seen).select(1, -1))).backward();
  ASSERT_TRUE(seen.defined());
  EXPECT_EQ(seen.part, (Gradient::Part{1, 27}));
  EXPECT_EQ(seen.value.shape(), (Shape{5, 3}));
  EXPECT_EQ(seen.dense(x.shape()).select(1, 27).to_vector(), seen.value.to_vector());
  for (const double v : x.grad().select(1, 26).to_vector()) EXPECT_EQ(v, 0);
}

TEST(Part, EqualPartsAddUpToAPart) {
  const Tensor x = test::random_tensor({4, 3}, DType::f64, 1).set_requires_grad(true);
  Gradient seen;
  const Tensor y = probed(x, &seen);
  (sum(y.select(0, 2)) + sum(y.select(0, 2) * 2.0)).backward();
  EXPECT_EQ(seen.part, (Gradient::Part{0, 2}));
  EXPECT_EQ(seen.value.to_vector(), Values(3, 3));
}

TEST(Part, DifferentPartsAddUpToAll) {
  const Tensor x = test::random_tensor({2, 2}, DType::f64, 1).set_requires_grad(true);
  Gradient seen;
  const Tensor y = probed(x, &seen);
  (sum(y.select(0, 0)) + sum(y.select(1, 1) * 2.0)).backward();
  EXPECT_FALSE(seen.part.has_value());
  EXPECT_EQ(seen.value.to_vector(), (Values{1, 3, 0, 2}));
}

TEST(Part, AbsentGradientIsNotMadeIntoZeros) {
  // Of a recurrent layer's two results only the state is used.
  nn::Rnn rnn(2, 3, {.dtype = DType::f64});
  const auto [output, h_n] = rnn(test::random_tensor({4, 2, 2}, DType::f64, 1));
  const auto node = h_n.impl()->node;
  EXPECT_EQ(output.impl()->node, node);  // one node for both
  std::vector<Gradient> outputs(2), inputs(node->inputs.size());
  outputs[1].value = Tensor::full({1, 2, 3}, 1, DType::f64);
  node->backward(outputs, inputs);
  EXPECT_FALSE(inputs[0].defined());  // the input wants none
  EXPECT_FALSE(inputs[1].defined());  // there was no h_0, nor the c_0 of other cells
  EXPECT_FALSE(inputs[2].defined());
  EXPECT_TRUE(inputs[3].defined());  // weight_ih
}

}  // namespace
}  // namespace unroll
