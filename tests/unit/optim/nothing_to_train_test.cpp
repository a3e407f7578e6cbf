// What would train nothing is an error. torch.optim.SGD([]) raises too: "optimizer got an empty
// parameter list".
#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "unroll/core/error.h"
#include "unroll/nn/dropout.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/module.h"
#include "unroll/optim/adagrad.h"
#include "unroll/optim/adam.h"
#include "unroll/optim/clip.h"
#include "unroll/optim/muon.h"
#include "unroll/optim/rmsprop.h"
#include "unroll/optim/sgd.h"

namespace unroll::optim {
namespace {

using test::error_of;

const char* const kNone =
    "there are no parameters to train; a model's parameters() lists only layers made with "
    "child(\"name\")";

template <class O, class Options>
void refuses_nothing(const std::string& name) {
  EXPECT_EQ(error_of<ValueError>([] { O(Parameters{}); }), "[" + name + "] " + kNone);
  using Groups = ParameterGroups<Options>;
  EXPECT_EQ(error_of<ValueError>([] { O(Groups{}); }), "[" + name + "] " + kNone);
  EXPECT_EQ(error_of<ValueError>([] { O(Groups{{{}, {}}, {{}, {}}}); }), "[" + name + "] " + kNone);
  nn::Linear layer(2, 3);
  const Parameters some = layer.parameters();
  EXPECT_EQ(error_of<ValueError>([&] {
              O(Groups{{some, {}}, {{}, {}}});
            }),
            "[" + name + "] group 2 of 2 has no parameters; leave it out");
  EXPECT_NO_THROW(O(Groups{{some, {}}}));
}

TEST(Trial08, AnOptimizerWithoutParametersIsAnError) {
  refuses_nothing<Sgd, SgdOptions>("sgd");
  refuses_nothing<Adam, AdamOptions>("adam");
  refuses_nothing<AdamW, AdamWOptions>("adamw");
  refuses_nothing<RmsProp, RmsPropOptions>("rmsprop");
  refuses_nothing<Adagrad, AdagradOptions>("adagrad");
  refuses_nothing<Muon, MuonOptions>("muon");
}

TEST(Trial08, SoIsThatOfAModelWhoseLayersWereMadeWithoutChild) {
  struct Net : nn::Module {
    nn::Linear one{3, 4}, two{4, 2};
    nn::Dropout drop{0.5};
  } net;
  EXPECT_EQ(error_of<ValueError>([&] { Sgd(net.parameters()); }), std::string("[sgd] ") + kNone);
}

// Muon hands what is no matrix of a recurrent layer to AdamW; either part may be empty.
TEST(Trial08, MuonOfMatricesAloneAndOfNoneWorks) {
  const auto step = [](int gates) {
    Tensor w = Tensor::full({4, 4}, 0.5);
    w.set_requires_grad(true);
    Muon muon(Parameters{{"w", w, gates}}, {.lr = 0.1});
    (w.select(0, 0)).backward(Tensor::full({4}, 1));
    muon.step();
    muon.zero_grad();
    EXPECT_FALSE(muon.state().empty());
    return w.to_vector();
  };
  EXPECT_LT(step(1)[0], 0.5);
  EXPECT_LT(step(0)[0], 0.5);
}

TEST(Trial08, ClippingNothingIsAnError) {
  EXPECT_EQ(error_of<ValueError>([] { clip_grad_norm({}, 1); }),
            "[clip_grad_norm] there are no parameters; a model's parameters() lists only layers "
            "made with child(\"name\")");
  EXPECT_EQ(grad_norm({}), 0);  // a sum without terms
}

}  // namespace
}  // namespace unroll::optim
