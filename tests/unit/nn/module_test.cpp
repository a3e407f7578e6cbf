#include "unroll/nn/module.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "support/expect_error.h"
#include "tensor/tensor_impl.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/rnn.h"

namespace unroll::nn {
namespace {

using test::error_of;

/// The model of the tutorial.
struct Model : Module {
  Rnn rnn;
  Linear fc;
  explicit Model(DType dtype = DType::f32)
      : rnn(child("rnn"), 28, 100, {.batch_first = true, .dtype = dtype}),
        fc(child("fc"), 100, 10, {.dtype = dtype}) {}
};

// What PyTorch lists for nn.RNN(28, 100) and nn.Linear(100, 10).
TEST(Module, NamesShapesAndOrderArePyTorchs) {
  Model model;
  std::vector<std::pair<std::string, std::string>> got;
  for (const Parameter& p : model.parameters()) got.emplace_back(p.name, p.value.shape().str());
  EXPECT_EQ(got,
            (std::vector<std::pair<std::string, std::string>>{{"rnn.weight_ih_l0", "[100, 28]"},
                                                              {"rnn.weight_hh_l0", "[100, 100]"},
                                                              {"rnn.bias_ih_l0", "[100]"},
                                                              {"rnn.bias_hh_l0", "[100]"},
                                                              {"fc.weight", "[10, 100]"},
                                                              {"fc.bias", "[10]"}}));
}

TEST(Module, OnlyRecurrentMatricesHaveGates) {
  Model model;
  for (const Parameter& p : model.parameters())
    EXPECT_EQ(p.gates, p.name.starts_with("rnn.weight") ? 1 : 0) << p.name;
}

TEST(Module, NamesOfNestedModulesAreJoined) {
  struct Outer : Module {
    struct Inner : Module {
      Linear fc;
      explicit Inner(const Child& place) : Module(place), fc(child("fc"), 1, 1) {}
    } inner;
    Tensor scale;
    Outer() : inner(child("inner")), scale(add_parameter("scale", Tensor::zeros({2}))) {}
  } outer;
  std::vector<std::string> names;
  for (const Parameter& p : outer.parameters()) names.push_back(p.name);
  EXPECT_EQ(names, (std::vector<std::string>{"inner.fc.weight", "inner.fc.bias", "scale"}));
}

TEST(Module, ParametersLieInOneBufferAndSoDoTheirGradients) {
  Model model;
  const auto before = model.fc.weight.to_vector();
  const Parameters all = model.parameters();
  const auto& storage = all[0].value.impl()->storage;
  const auto& gradients = all[0].value.impl()->grad.impl()->storage;
  EXPECT_NE(storage, gradients);
  for (const Parameter& p : all) {
    EXPECT_EQ(p.value.impl()->storage, storage) << p.name;
    EXPECT_EQ(p.value.impl()->grad.impl()->storage, gradients) << p.name;
    EXPECT_EQ(p.value.impl()->grad.impl()->offset, p.value.impl()->offset) << p.name;
    EXPECT_EQ(p.value.impl()->offset * sizeof(float) % 64, 0u) << p.name;
    EXPECT_FALSE(p.value.grad().defined()) << p.name;
    EXPECT_TRUE(p.value.requires_grad()) << p.name;
  }
  // The layer's own tensors are those that moved.
  EXPECT_EQ(model.fc.weight.data<float>(), all[4].value.data<float>());
  EXPECT_EQ(model.rnn.layers()[0][WeightRole::weight_hh].data<float>(), all[1].value.data<float>());
  EXPECT_EQ(model.fc.weight.to_vector(), before);
  EXPECT_EQ(model.parameters()[0].value.impl()->storage, storage);  // the second call moves nothing
}

TEST(Module, GradientsSurviveTheMove) {
  Model model;
  sum(model.fc(Tensor::full({1, 100}, 2))).backward();
  const auto before = model.fc.weight.grad().to_vector();
  model.parameters();
  EXPECT_EQ(model.fc.weight.grad().to_vector(), before);
  sum(model.fc(Tensor::full({1, 100}, 2))).backward();
  EXPECT_EQ(model.fc.weight.grad().to_vector()[0], 4);
}

TEST(Module, MoveBetweenForwardAndBackwardHurtsNothing) {
  Model model;
  const Tensor loss = sum(model.fc(model.rnn(Tensor::full({2, 3, 28}, 0.1)).output.select(1, -1)));
  const Parameters all = model.parameters();
  loss.backward();
  for (const Parameter& p : all) EXPECT_TRUE(p.value.grad().defined()) << p.name;
}

TEST(Module, ParametersOfTwoTypesAreRefused) {
  struct Mixed : Module {
    Linear a, b;
    Mixed() : a(child("a"), 1, 1), b(child("b"), 1, 1, {.dtype = DType::f64}) {}
  } mixed;
  EXPECT_EQ(error_of<ShapeError>([&] { mixed.parameters(); }),
            "[parameters] the model's parameters have different types; make all layers with the "
            "same dtype");
}

TEST(Module, LoadCopiesByNameAndConverts) {
  Model from(DType::f64), to;
  Parameters values = from.parameters();
  std::swap(values[0], values[5]);  // the order does not matter
  to.load(values);
  const Parameters source = from.parameters(), target = to.parameters();
  for (std::size_t i = 0; i < source.size(); ++i)
    EXPECT_EQ(target[i].value.to_vector(), source[i].value.to(DType::f32).to_vector());
}

TEST(Fault31, LoadListsEveryDifferenceAndChangesNothing) {
  Model model;
  Parameters values = Model().parameters();
  values.erase(values.begin());                // rnn.weight_ih_l0
  values[2].value = Tensor::zeros({7});        // rnn.bias_hh_l0
  values[3].value = Tensor::zeros({100, 10});  // fc.weight
  values.push_back({"extra", Tensor::zeros({1})});
  std::vector<std::vector<double>> before;
  for (const Parameter& p : model.parameters()) before.push_back(p.value.to_vector());
  EXPECT_EQ(error_of<FormatError>([&] { model.load(values); }),
            "[load] rnn.weight_ih_l0 is missing; rnn.bias_hh_l0 has shape [7], expected [100]; "
            "fc.weight has shape [100, 10], expected [10, 100]; extra is not part of this model");
  for (std::size_t i = 0; const Parameter& p : model.parameters())
    EXPECT_EQ(p.value.to_vector(), before[i++]);
}

TEST(Module, ModeReachesTheModulesWithin) {
  struct Outer : Module {
    struct Inner : Module {
      Linear fc;
      explicit Inner(const Child& place) : Module(place), fc(child("fc"), 1, 1) {}
    } inner;
    Linear own;  // made without child()
    Outer() : inner(child("inner")), own(1, 1) {}
  } outer;
  EXPECT_TRUE(outer.is_training());
  outer.eval();
  EXPECT_FALSE(outer.is_training());
  EXPECT_FALSE(outer.inner.is_training());
  EXPECT_FALSE(outer.inner.fc.is_training());
  EXPECT_TRUE(outer.own.is_training());
  outer.inner.train();
  EXPECT_FALSE(outer.is_training());
  EXPECT_TRUE(outer.inner.fc.is_training());
  outer.train(false);
  EXPECT_FALSE(outer.inner.fc.is_training());
}

}  // namespace
}  // namespace unroll::nn
