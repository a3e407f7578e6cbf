// Groups of parameters with options of their own.
#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "support/tensors.h"
#include "unroll/core/error.h"
#include "unroll/optim/adagrad.h"
#include "unroll/optim/adam.h"
#include "unroll/optim/muon.h"
#include "unroll/optim/rmsprop.h"
#include "unroll/optim/sgd.h"

namespace unroll::optim {
namespace {

using test::error_of;
using Values = std::vector<double>;

Parameters matrix_and_bias(const char* matrix, const char* bias) {
  return {{matrix, test::random_tensor({3, 2}, DType::f64, 1).set_requires_grad(true), 1},
          {bias, test::random_tensor({3}, DType::f64, 2).set_requires_grad(true)}};
}

void give_gradients(const Parameters& parameters, std::uint64_t seed) {
  for (const Parameter& p : parameters) {
    p.value.backward(test::random_tensor(p.value.shape(), DType::f64, seed));
  }
}

/// Each group moves as with an optimizer for it alone.
template <class O, class Options>
void expect_own_options(const Options& a, const Options& b) {
  const Parameters first = matrix_and_bias("a.w", "a.b"), second = matrix_and_bias("b.w", "b.b"),
                   first_alone = matrix_and_bias("w", "b"),
                   second_alone = matrix_and_bias("w", "b");
  O together(ParameterGroups<Options>{{first, a}, {second, b}});
  O alone_a(first_alone, a), alone_b(second_alone, b);
  for (Optimizer* optimizer :
       {static_cast<Optimizer*>(&together), static_cast<Optimizer*>(&alone_a),
        static_cast<Optimizer*>(&alone_b)})
    optimizer->set_lr_factor(0.5);
  for (std::uint64_t step = 0; step < 3; ++step) {
    together.zero_grad();
    alone_a.zero_grad();
    alone_b.zero_grad();
    for (const Parameters& p : {first, second, first_alone, second_alone}) give_gradients(p, step);
    together.step();
    alone_a.step();
    alone_b.step();
  }
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(test::bits_of(first[i].value), test::bits_of(first_alone[i].value));
    EXPECT_EQ(test::bits_of(second[i].value), test::bits_of(second_alone[i].value));
    EXPECT_NE(first[i].value.to_vector(), second[i].value.to_vector());
  }
}

TEST(ParameterGroups, HaveOptionsOfTheirOwn) {
  expect_own_options<Sgd>(SgdOptions{.lr = 0.1},
                          SgdOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1});
  expect_own_options<Adam>(AdamOptions{.beta1 = 0.5, .amsgrad = true},
                           AdamOptions{.eps = 1e-3, .weight_decay = 0.1});
  expect_own_options<AdamW>(AdamWOptions{.lr = 0.1},
                            AdamWOptions{.weight_decay = 0.5, .amsgrad = true});
  expect_own_options<RmsProp>(RmsPropOptions{.momentum = 0.9},
                              RmsPropOptions{.alpha = 0.5, .centered = true});
  expect_own_options<Adagrad>(AdagradOptions{.lr = 0.1},
                              AdagradOptions{.lr_decay = 1, .initial_accumulator_value = 1});
  expect_own_options<Muon>(MuonOptions{.momentum = 0.5, .others = {.lr = 0.1}},
                           MuonOptions{.lr = 0.1, .nesterov = false});
}

// As the header shows it: a rate of its own for each group, one without decay.
TEST(ParameterGroups, AreWrittenAsAList) {
  const Parameters p = matrix_and_bias("w", "b");
  const Parameters matrices{p[0]}, vectors{p[1]};
  const Values w = p[0].value.to_vector(), b = p[1].value.to_vector();
  Sgd sgd({{matrices, {.lr = 0.5, .weight_decay = 1}}, {vectors, {.lr = 2}}});
  for (const Parameter& each : p)
    each.value.backward(Tensor::full(each.value.shape(), 1, DType::f64));
  sgd.step();
  for (std::size_t i = 0; i < w.size(); ++i)
    EXPECT_DOUBLE_EQ(p[0].value.to_vector()[i], w[i] - 0.5 * (1 + w[i]));
  for (std::size_t i = 0; i < b.size(); ++i) EXPECT_DOUBLE_EQ(p[1].value.to_vector()[i], b[i] - 2);
}

TEST(ParameterGroups, EveryGroupsOptionsAreChecked) {
  const Parameters p = matrix_and_bias("w", "b");
  EXPECT_EQ(error_of<ValueError>([&] {
              Sgd({{{p[0]}, {.lr = 0.1}}, {{p[1]}, {.lr = -1}}});
            }),
            "[sgd] lr = -1, expected 0 <= lr < inf");
  EXPECT_THROW(AdamW({{p, {}}, {{}, {.beta2 = 1}}}), ValueError);
  EXPECT_THROW(Muon({{p, {}}, {{}, {.others = {.lr = -1}}}}), ValueError);
}

TEST(ParameterGroups, ParameterInTwoIsRefused) {
  const Parameters p = matrix_and_bias("w", "b");
  EXPECT_EQ(error_of<ValueError>([&] {
              RmsProp({{p, {}}, {{p[1]}, {.lr = 1}}});
            }),
            "[optimizer] b is listed twice; list every parameter once, in one group");
}

}  // namespace
}  // namespace unroll::optim
