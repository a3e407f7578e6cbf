// Layers and the model they belong to: layers that come and go, and layers that were left out.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "support/expect_error.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/nn/cells.h"
#include "unroll/nn/dropout.h"
#include "unroll/nn/gru.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/loss.h"
#include "unroll/nn/lstm.h"
#include "unroll/nn/module.h"
#include "unroll/nn/rnn.h"
#include "unroll/optim/sgd.h"

namespace unroll::nn {
namespace {

using test::error_of;

std::vector<std::string> children_of(Module& module) {
  std::vector<std::string> names;
  for (const Parameter& p : module.parameters()) names.push_back(p.name);
  return names;
}

using Names = std::vector<std::string>;

// ---- Trial18: a layer that is gone is not used.

struct Headed : Module {
  std::unique_ptr<Linear> head;
  Headed() { head = std::make_unique<Linear>(child("head"), 2, 10); }
};

TEST(Trial18, AReplacedLayerLeavesItsModel) {
  Headed model;
  model.head = std::make_unique<Linear>(Child{&model, "other"}, 2, 5);  // the old one goes last
  EXPECT_EQ(children_of(model), (Names{"other.weight", "other.bias"}));
  EXPECT_EQ(model.parameters()[0].value.shape(), (Shape{5, 2}));
  model.eval();
  EXPECT_FALSE(model.head->is_training());
  model.head.reset();
  EXPECT_TRUE(model.parameters().empty());
  model.train();
}

TEST(Trial18, ALayerWhoseConstructorThrowsLeavesItsModel) {
  struct Model : Module {
    std::unique_ptr<Linear> wrong;
    std::unique_ptr<Lstm> late;
    Linear fc;
    Model() : fc(child("fc"), 2, 2) {
      // Before anything is in it, and after all its parameters are.
      EXPECT_THROW(wrong = std::make_unique<Linear>(child("wrong"), -1, 2), ValueError);
      EXPECT_THROW(late = std::make_unique<Lstm>(child("late"), 2, 2,
                                                 LstmOptions{.bias = false, .forget_bias = 1}),
                   ValueError);
    }
  } model;
  EXPECT_EQ(children_of(model), (Names{"fc.weight", "fc.bias"}));
  EXPECT_EQ(model.children().size(), 1u);
}

TEST(Trial18, ALayerMayOutliveItsModel) {
  std::unique_ptr<Linear> kept;
  {
    Headed model;
    kept = std::move(model.head);
  }
  EXPECT_EQ(kept->parameters().size(), 2u);
  kept.reset();  // asks no model that is gone
}

TEST(Trial18, TwoLayersOfOneNameAreAnError) {
  Headed model;
  EXPECT_EQ(error_of<ValueError>([&] {
              Linear(Child{&model, "head"}, 2, 5);
            }),
            "[module] the name \"head\" is taken; choose another one, or destroy the layer with "
            "this name first");
  EXPECT_EQ(children_of(model), (Names{"head.weight", "head.bias"}));
  model.head.reset();
  EXPECT_NO_THROW(model.head = std::make_unique<Linear>(Child{&model, "head"}, 2, 5));
  EXPECT_EQ(model.parameters()[0].value.shape(), (Shape{5, 2}));
  EXPECT_EQ(error_of<ValueError>([&] {
              Linear(Child{&model, ""}, 2, 5);
            }),
            "[module] the name of a layer or parameter is empty; choose one");
}

TEST(Trial18, ALayerAndAParameterOfOneNameAreAnError) {
  struct Model : Module {
    Tensor scale = add_parameter("scale", Tensor::zeros({2}));
    void again() { add_parameter("scale", Tensor::zeros({2})); }
    void as_layer() { Linear(child("scale"), 1, 1); }
  } model;
  EXPECT_THROW(model.again(), ValueError);
  EXPECT_THROW(model.as_layer(), ValueError);
  EXPECT_EQ(children_of(model), Names{"scale"});
}

// An optimizer keeps the tensors of a layer that was replaced; it must not touch its successor's.
TEST(Trial18, AnOptimizerOfAReplacedLayerHoldsOnlyTheOld) {
  Headed model;
  optim::Sgd optimizer(model.parameters(), {.lr = 1});
  model.head.reset();
  model.head = std::make_unique<Linear>(Child{&model, "head"}, 2, 10);
  const auto before = model.head->weight.to_vector();
  sum((*model.head)(Tensor::full({1, 2}, 1))).backward();
  optimizer.step();
  EXPECT_EQ(model.head->weight.to_vector(), before);
}

// ---- Trial21: sizes that no memory holds.

TEST(Trial21, SizesWhoseProductsOverflowAreRefused) {
  constexpr std::int64_t quarter = std::int64_t{1} << 62;  // times 4 gates is 0
  EXPECT_EQ(error_of<ValueError>([] { Lstm(3, quarter); }),
            "[lstm] hidden_size 4611686018427387904, num_layers 1; expected at most 2147483648 "
            "each");
  EXPECT_THROW(Lstm(3, quarter + 1, {.proj_size = 1}), ValueError);
  EXPECT_THROW(Lstm(3, quarter, {.bias = false, .proj_size = 1}), ValueError);
  EXPECT_THROW(Gru(3, 6148914691236517206), ValueError);  // times 3 is 2
  EXPECT_THROW(LstmCell(3, quarter), ValueError);
  EXPECT_THROW(Rnn(3, 4, {.num_layers = quarter}), ValueError);
  EXPECT_THROW(Lstm(quarter, 4), ShapeError);
}

// ---- Trial08: a layer that was made without child().

template <class Model>
std::string error_of_training(Model& model, const Parameters& parameters) {
  optim::Sgd optimizer(parameters, {.lr = 0.1});
  return error_of<ValueError>([&] {
    const Tensor loss = sum(model.forward(Tensor::full({2, 4, 5}, 0.3)));
    loss.backward();
  });
}

const char* const kLeftOut =
    "[backward] the loss depends on a layer that is not part of the model: parameters() does not "
    "list its parameter of shape [3, 8]. Make the layer with child(\"name\"); or, to leave it "
    "untrained, call it under NoGrad";

TEST(Trial08, ALayerThatWasMadeWithoutChildIsFound) {
  struct Model : Module {
    Lstm lstm;
    Linear fc{8, 3};
    Model() : lstm(child("lstm"), 5, 8, {.batch_first = true}) {}
    Tensor forward(const Tensor& x) { return fc(lstm(x).output.select(1, -1)); }
  } model;
  EXPECT_EQ(error_of_training(model, model.parameters()), kLeftOut);
}

TEST(Trial08, SoIsOneInALayerOfTheUsersOwnOrOnTheHeap) {
  struct Block : Module {  // cannot be a child: it has no constructor for it
    Linear fc;
    Block() : fc(child("fc"), 8, 3) {}
  };
  struct Model : Module {
    Lstm lstm;
    std::vector<std::unique_ptr<Block>> blocks;
    Model() : lstm(child("lstm"), 5, 8, {.batch_first = true}) {
      blocks.push_back(std::make_unique<Block>());
    }
    Tensor forward(const Tensor& x) { return blocks[0]->fc(lstm(x).output.select(1, -1)); }
  } model;
  EXPECT_EQ(error_of_training(model, model.parameters()), kLeftOut);
  // A part that lists its own parameters later hides nothing.
  model.lstm.parameters();
  EXPECT_EQ(error_of_training(model, model.parameters()), kLeftOut);
}

// Whatever is not the fault goes on working.
TEST(Trial08, NoFalseAlarm) {
  struct Model : Module {
    Linear fc;
    Dropout drop;  // has no parameters: nothing to train
    Dropout registered;
    Model() : fc(child("fc"), 5, 3), drop(0.5), registered(child("drop"), 0.5) {}
    Tensor operator()(const Tensor& x) { return registered(drop(fc(x))); }
  };
  const Tensor x = Tensor::full({2, 5}, 0.3);
  {  // layers alone, whose gradients somebody reads
    Linear one(5, 5), two(5, 3);
    sum(two(one(x))).backward();
    EXPECT_TRUE(one.weight.grad().defined());
  }
  {  // two models in one loss, each with an optimizer of its own
    Model first, second;
    sum(first(x) + second(x)).backward();  // before anybody lists
    optim::Sgd optimizer(first.parameters()), other(second.parameters());
    sum(first(x) + second(x)).backward();
    optimizer.step();
  }
  {  // a random layer that nobody trains, made before the model or used under NoGrad
    Linear fixed(5, 5);
    Model model;
    Linear quiet(5, 5);
    optim::Sgd optimizer(model.parameters());
    Tensor y;
    {
      const NoGrad no_grad;
      y = quiet(x);
    }
    sum(model(fixed(y))).backward();
  }
  {  // a random layer and a single trained one, which is no model with layers
    Linear readout(5, 2);
    Linear reservoir(5, 5);
    optim::Sgd optimizer(readout.parameters());
    sum(readout(reservoir(x))).backward();
  }
  {  // weights of a model frozen by not giving them to the optimizer
    struct Two : Module {
      Linear one, two;
      Two() : one(child("one"), 5, 5), two(child("two"), 5, 2) {}
    } model;
    optim::Sgd optimizer(model.two.parameters());
    sum(model.two(model.one(x))).backward();
  }
}

}  // namespace
}  // namespace unroll::nn
