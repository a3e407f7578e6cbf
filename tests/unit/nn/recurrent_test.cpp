// What all recurrent layers promise beside their numbers, which tests/golden and tests/grad check.
#include "unroll/nn/recurrent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/any_recurrent.h"
#include "support/expect_error.h"
#include "support/kernel_test.h"
#include "support/tensors.h"
#include "tensor/tensor_impl.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/core/threads.h"
#include "unroll/nn/gru.h"
#include "unroll/nn/lstm.h"
#include "unroll/nn/rnn.h"

namespace unroll::nn {
namespace {

using test::AnyRecurrent;
using test::error_of;
using test::RecurrentKind;

class RnnLayers : public test::KernelTest {};

using Lengths = std::vector<std::int64_t>;
using Bits = std::vector<std::uint64_t>;

/// A layer of 3 inputs and 5 units that is the same for equal options.
std::unique_ptr<AnyRecurrent> make(RecurrentKind kind, RecurrentOptions options = {},
                                   std::int64_t proj_size = 0) {
  Generator generator(3);
  options.generator = &generator;
  return test::make_recurrent(kind, 3, 5, options, proj_size);
}

std::vector<std::string> shapes_by_name(Module& module) {
  std::vector<std::string> names;
  for (const Parameter& p : module.parameters()) names.push_back(p.name + p.value.shape().str());
  return names;
}

/// Everything on, as far as the kind allows.
RecurrentRegularisation all_of(RecurrentKind kind) {
  const bool lstm = kind == RecurrentKind::lstm, gated = lstm || kind == RecurrentKind::gru;
  return {.variational_dropout = {0.3, 0.3},
          .recurrent_dropout = gated ? 0.3 : 0,
          .zoneout = {0.3, lstm ? 0.3 : 0},
          .weight_drop = 0.3,
          .layer_norm = true};
}

/// All numbers that a call and its backward leave.
Bits bits_of_training(AnyRecurrent& rnn, const Tensor& input, const RecurrentCall& call = {}) {
  for (const Parameter& p : rnn.layer().parameters()) {
    Tensor value = p.value;
    value.clear_grad();
  }
  Tensor x = input.clone();
  x.set_requires_grad(true);
  const auto [output, h_n, c_n] = rnn(x, {}, call);
  (sum(output * output) + sum(h_n)).backward();
  Bits bits = test::bits_of(output);
  const auto append = [&](const Tensor& tensor) {
    const Bits more = test::bits_of(tensor);
    bits.insert(bits.end(), more.begin(), more.end());
  };
  append(h_n);
  append(x.grad());
  for (const Parameter& p : rnn.layer().parameters()) append(p.value.grad());
  return bits;
}

/// The gradient of the first state after so many steps, each of which halves it.
double gradient_after(RecurrentKind kind, std::int64_t steps) {
  const auto rnn = make(kind);
  for (const Parameter& p : rnn->layer().parameters()) {
    Tensor value = p.value;
    const std::span<float> numbers = value.values<float>();
    const bool on = kind == RecurrentKind::rnn_relu && p.name == "bias_ih_l0";
    std::ranges::fill(numbers, on ? 1.f : 0.f);  // gates are 1/2
    if (p.name == "weight_hh_l0" && numbers.size() == 25)
      for (std::size_t i = 0; i < 5; ++i) numbers[i * 5 + i] = 0.5f;
  }
  Tensor first = Tensor::zeros({1, 1, 5});
  first.set_requires_grad(true);
  State state{first, {}};
  if (kind == RecurrentKind::lstm) state = {Tensor::zeros({1, 1, 5}), first};
  const auto [output, h_n, c_n] = (*rnn)(Tensor::zeros({steps, 1, 3}), state);
  sum(kind == RecurrentKind::lstm ? c_n : h_n).backward();
  return first.grad().data<float>()[2];
}

// Where it stayed among the subnormal numbers, each of the steps before took a hundred times as
// long.
TEST_F(RnnLayers, AGradientThatVanishesBecomesNothing) {
  for (const RecurrentKind kind : test::recurrent_kinds) {
    EXPECT_EQ(gradient_after(kind, 90), std::ldexp(1., -90));
    EXPECT_EQ(gradient_after(kind, 110), 0);
  }
}

TEST_F(RnnLayers, Shapes) {
  for (const RecurrentKind kind : test::recurrent_kinds) {
    const RecurrentOptions options{.num_layers = 2, .batch_first = true, .bidirectional = true};
    const auto [output, h_n, c_n] = (*make(kind, options))(Tensor::zeros({4, 7, 3}));
    EXPECT_EQ(output.shape(), (Shape{4, 7, 10}));
    EXPECT_EQ(h_n.shape(), (Shape{4, 4, 5}));
    if (kind == RecurrentKind::lstm)
      EXPECT_EQ(c_n.shape(), (Shape{4, 4, 5}));
    else
      EXPECT_FALSE(c_n.defined());
  }
  const auto projected = make(RecurrentKind::lstm, {.bidirectional = true}, 2);
  const auto [output, h_n, c_n] = (*projected)(Tensor::zeros({7, 4, 3}));
  EXPECT_EQ(output.shape(), (Shape{7, 4, 4}));
  EXPECT_EQ(h_n.shape(), (Shape{2, 4, 2}));
  EXPECT_EQ(c_n.shape(), (Shape{2, 4, 5}));
}

TEST_F(RnnLayers, ParametersHavePyTorchsNamesAndOrder) {
  const RecurrentOptions options{.num_layers = 2,
                                 .bidirectional = true,
                                 .regularisation = {.layer_norm = true},
                                 .learn_initial_state = true};
  std::vector<std::string> expected;
  for (const std::string suffix : {"l0", "l0_reverse", "l1", "l1_reverse"}) {
    const std::string input = suffix[1] == '0' ? "3" : "4";
    for (const std::string& name :
         {"weight_ih_" + suffix + "[20, " + input + "]", "weight_hh_" + suffix + "[20, 2]",
          "bias_ih_" + suffix + "[20]", "bias_hh_" + suffix + "[20]",
          "weight_hr_" + suffix + "[2, 5]", "layer_norm_ih_" + suffix + ".weight[20]",
          "layer_norm_ih_" + suffix + ".bias[20]", "layer_norm_hh_" + suffix + ".weight[20]",
          "layer_norm_hh_" + suffix + ".bias[20]", "layer_norm_c_" + suffix + ".weight[5]",
          "layer_norm_c_" + suffix + ".bias[5]"})
      expected.push_back(name);
  }
  expected.push_back("h_0[4, 1, 2]");
  expected.push_back("c_0[4, 1, 5]");
  EXPECT_EQ(shapes_by_name(make(RecurrentKind::lstm, options, 2)->layer()), expected);
  EXPECT_EQ(
      shapes_by_name(
          make(RecurrentKind::gru, {.bias = false, .learn_initial_state = true})->layer()),
      (std::vector<std::string>{"weight_ih_l0[15, 3]", "weight_hh_l0[15, 5]", "h_0[1, 1, 5]"}));
}

TEST_F(RnnLayers, MatricesSayHowManyGatesTheyStack) {
  const auto gates_of = [](AnyRecurrent& rnn) {
    std::vector<int> gates;
    for (const Parameter& p : rnn.layer().parameters()) gates.push_back(p.gates);
    return gates;
  };
  EXPECT_EQ(gates_of(*make(RecurrentKind::rnn_tanh)), (std::vector<int>{1, 1, 0, 0}));
  EXPECT_EQ(gates_of(*make(RecurrentKind::gru)), (std::vector<int>{3, 3, 0, 0}));
  EXPECT_EQ(gates_of(*make(RecurrentKind::lstm, {}, 2)), (std::vector<int>{4, 4, 0, 0, 1}));
}

TEST_F(RnnLayers, ForgetBiasIsAddedOnce) {
  Generator first(3), second(3);
  Lstm plain(3, 5, {.generator = &first}), raised(3, 5, {.forget_bias = 1, .generator = &second});
  const auto before = plain.layers()[0][WeightRole::bias_ih].to_vector();
  const auto after = raised.layers()[0][WeightRole::bias_ih].to_vector();
  for (std::size_t i = 0; i < 20; ++i) {
    const bool forget = i >= 5 && i < 10;  // PyTorch's order: i, f, g, o
    EXPECT_NEAR(after[i], before[i] + (forget ? 1 : 0), 1e-7) << i;
  }
  EXPECT_EQ(test::bits_of(raised.layers()[0][WeightRole::bias_hh]),
            test::bits_of(plain.layers()[0][WeightRole::bias_hh]));
  EXPECT_EQ(error_of<ValueError>([] { Lstm(3, 5, {.bias = false, .forget_bias = 1}); }),
            "[lstm] forget_bias is given, but the layer has no biases");
  EXPECT_EQ(error_of<ValueError>([] { Lstm(3, 5, {.forget_bias = NAN}); }),
            "[lstm] forget_bias is nan, expected a finite number");
}

// A batch of any lengths in any order gives each sequence what it gets alone, and zeros behind it.
TEST_F(RnnLayers, RaggedBatchEqualsItsSequencesAlone) {
  const Lengths lengths{2, 7, 1, 7, 4};
  for (const RecurrentKind kind : test::recurrent_kinds) {
    const auto rnn = make(kind, {.num_layers = 2, .batch_first = true, .bidirectional = true});
    const Tensor x = test::random_tensor({5, 7, 3}, DType::f32, 1);
    const auto batch = (*rnn)(x, {}, {.lengths = lengths});
    for (std::int64_t n = 0; n < 5; ++n) {
      const std::int64_t length = lengths[static_cast<std::size_t>(n)];
      Tensor one = Tensor::empty({1, length, 3});
      for (std::int64_t t = 0; t < length; ++t)
        copy_into(one.select(1, t), x.select(0, n).select(0, t).view({1, 3}));
      const auto alone = (*rnn)(one);
      for (std::int64_t t = 0; t < 7; ++t) {
        const Tensor got = batch.output.select(0, n).select(0, t);
        EXPECT_EQ(test::bits_of(got),
                  t < length ? test::bits_of(alone.output.select(1, t)) : Bits(10, 0))
            << test::name_of(kind) << " " << n << " " << t;
      }
      EXPECT_EQ(test::bits_of(batch.h_n.select(1, n)), test::bits_of(alone.h_n.select(1, 0)));
      if (batch.c_n.defined()) {
        EXPECT_EQ(test::bits_of(batch.c_n.select(1, n)), test::bits_of(alone.c_n.select(1, 0)));
      }
    }
  }
}

TEST_F(RnnLayers, NothingIsReadPastTheEndOfASequence) {
  const Lengths lengths{2, 4, 1};
  for (const RecurrentKind kind : test::recurrent_kinds) {
    const auto rnn = make(kind, {.num_layers = 2, .bidirectional = true});
    const Tensor x = test::random_tensor({4, 3, 3}, DType::f32, 1);
    const Bits expected = bits_of_training(*rnn, x, {.lengths = lengths});
    const Tensor dirty = x.clone();
    for (std::int64_t n = 0; n < 3; ++n)
      for (std::int64_t t = lengths[static_cast<std::size_t>(n)]; t < 4; ++t)
        copy_into(dirty.select(0, t).select(0, n), Tensor::full({3}, NAN));
    EXPECT_EQ(bits_of_training(*rnn, dirty, {.lengths = lengths}), expected) << test::name_of(kind);
  }
}

TEST_F(RnnLayers, BitsAndMasksDoNotDependOnThreads) {
  const int before = num_threads();
  const Lengths lengths = [] {
    Lengths all;
    for (std::int64_t n = 0; n < 50; ++n) all.push_back(1 + n * 7 % 6);
    return all;
  }();
  for (const RecurrentKind kind : test::recurrent_kinds) {
    const auto rnn = make(
        kind,
        {.num_layers = 2, .dropout = 0.3, .bidirectional = true, .regularisation = all_of(kind)});
    const Tensor x = test::random_tensor({6, 50, 3}, DType::f32, 1);
    set_num_threads(1);
    rnn->layer().masks().set_step(0);
    const Bits expected = bits_of_training(*rnn, x, {.lengths = lengths});
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      rnn->layer().masks().set_step(0);
      EXPECT_EQ(bits_of_training(*rnn, x, {.lengths = lengths}), expected)
          << test::name_of(kind) << " " << threads;
    }
  }
  set_num_threads(before);
}

TEST_F(RnnLayers, MasksBelongToTheTrainingForward) {
  const auto rnn = make(RecurrentKind::lstm, {.num_layers = 2, .dropout = 0.5});
  const Tensor x = test::random_tensor({6, 4, 3}, DType::f32, 1);
  const Bits first = test::bits_of((*rnn)(x).output), second = test::bits_of((*rnn)(x).output);
  EXPECT_NE(first, second);
  EXPECT_EQ(rnn->layer().masks().step(), 2u);
  rnn->layer().eval();
  const Bits evaluated = test::bits_of((*rnn)(x).output);
  EXPECT_EQ(test::bits_of((*rnn)(x).output), evaluated);
  EXPECT_EQ(rnn->layer().masks().step(), 2u);
  rnn->layer().train();
  rnn->layer().masks().set_step(1);
  EXPECT_EQ(test::bits_of((*rnn)(x).output), second);
  // Without anything random there is nothing to count.
  const auto plain = make(RecurrentKind::lstm, {.num_layers = 2});
  EXPECT_EQ(test::bits_of((*plain)(x).output), evaluated);
  EXPECT_EQ(plain->layer().masks().step(), 0u);
}

TEST_F(RnnLayers, EvaluationHasNoRandomPart) {
  const Tensor x = test::random_tensor({6, 4, 3}, DType::f32, 1);
  for (const RecurrentKind kind : test::recurrent_kinds) {
    RecurrentRegularisation r = all_of(kind);
    r.zoneout = {};
    r.layer_norm = false;
    const auto rnn = make(kind, {.num_layers = 2, .dropout = 0.3, .regularisation = r});
    rnn->layer().eval();
    EXPECT_EQ(test::bits_of((*rnn)(x).output),
              test::bits_of((*make(kind, {.num_layers = 2}))(x).output));
  }
}

// With p = 1 a layer gets nothing from below: its output no longer depends on the input.
TEST_F(RnnLayers, DropoutIsBetweenLayers) {
  const Tensor x = test::random_tensor({6, 4, 3}, DType::f32, 1), zeros = Tensor::zeros({6, 4, 3});
  const auto one = make(RecurrentKind::gru, {.dropout = 1});
  EXPECT_NE(test::bits_of((*one)(x).output), test::bits_of((*one)(zeros).output));
  const auto two = make(RecurrentKind::gru, {.num_layers = 2, .dropout = 1});
  EXPECT_EQ(test::bits_of((*two)(x).output), test::bits_of((*two)(zeros).output));
}

// Each mask drops about what its probability says: counted by what it does to known numbers.
TEST_F(RnnLayers, ZoneoutKeepsAsManyStatesAsItsRateSays) {
  Generator generator(1);
  Gru gru(1, 40, {.regularisation = {.zoneout = {.h = 0.25}}, .generator = &generator});
  const Tensor h_0 = Tensor::full({1, 50, 40}, 0.5);
  const auto [output, h_n] = gru(Tensor::zeros({1, 50, 1}), h_0);
  int kept = 0;
  for (const double h : h_n.to_vector()) kept += h == 0.5;
  EXPECT_NEAR(kept / 2000.0, 0.25, 0.04);  // four deviations
}

TEST_F(RnnLayers, LearntStateStandsInForTheOneThatIsNotGiven) {
  const auto rnn = make(RecurrentKind::lstm, {.learn_initial_state = true});
  const auto plain = make(RecurrentKind::lstm);
  const Tensor x = test::random_tensor({6, 4, 3}, DType::f32, 1);
  EXPECT_EQ(test::bits_of((*rnn)(x).output), test::bits_of((*plain)(x).output));  // zeros at first
  const Tensor h = test::random_tensor({1, 1, 5}, DType::f32, 2);
  const Tensor c = test::random_tensor({1, 1, 5}, DType::f32, 3);
  State everywhere{Tensor::empty({1, 4, 5}), Tensor::empty({1, 4, 5})};
  for (std::int64_t n = 0; n < 4; ++n) {
    copy_into(everywhere.h.select(1, n), h.select(1, 0));
    copy_into(everywhere.c.select(1, n), c.select(1, 0));
  }
  for (const Parameter& p : rnn->layer().parameters()) {
    if (p.name == "h_0") copy_into(p.value, h);
    if (p.name == "c_0") copy_into(p.value, c);
  }
  const Bits expected = test::bits_of((*plain)(x, everywhere).output);
  EXPECT_EQ(test::bits_of((*rnn)(x).output), expected);
  EXPECT_EQ(test::bits_of((*rnn)(x, everywhere).output), expected);
}

TEST_F(RnnLayers, GivenMasksAreUsed) {
  const Tensor x = test::random_tensor({2, 4, 3}, DType::f32, 1);
  const auto rnn =
      make(RecurrentKind::gru, {.regularisation = {.variational_dropout = {.input = 0.5}}});
  const RecurrentMasks nothing{.keep_x = Tensor::zeros({4, 3})};
  const auto dropped = (*rnn)(x, {}, {.masks = {&nothing, 1}});
  EXPECT_EQ(test::bits_of(dropped.output),
            test::bits_of((*make(RecurrentKind::gru))(Tensor::zeros({2, 4, 3})).output));
  EXPECT_EQ(rnn->layer().masks().step(), 0u);
  const RecurrentMasks all{.keep_x = Tensor::full({4, 3}, 1)};
  EXPECT_EQ(test::bits_of((*rnn)(x, {}, {.masks = {&all, 1}}).output),
            test::bits_of((*make(RecurrentKind::gru))(x * 2).output));
}

TEST_F(RnnLayers, GivenMasksFollowTheirSequences) {
  const Tensor x = test::random_tensor({4, 3, 3}, DType::f32, 1);
  const auto rnn = make(RecurrentKind::lstm, {.regularisation = {.zoneout = {.h = 0.5}}});
  const RecurrentMasks masks{.zone_h = bernoulli_mask({4, 3, 5}, 0.5, {1, 2, 3})};
  const Lengths lengths{2, 4, 1}, all_four{4, 4, 4};
  const auto ragged = (*rnn)(x, {}, {.lengths = lengths, .masks = {&masks, 1}}).output;
  const auto whole = (*rnn)(x, {}, {.lengths = all_four, .masks = {&masks, 1}}).output;
  for (std::int64_t n = 0; n < 3; ++n)
    EXPECT_EQ(test::bits_of(ragged.select(0, 0).select(0, n)),
              test::bits_of(whole.select(0, 0).select(0, n)));
}

TEST_F(RnnLayers, LengthsThatDoNotFitAreNamed) {
  const auto rnn = make(RecurrentKind::gru);
  const auto call = [&](Lengths lengths) {
    (*rnn)(Tensor::zeros({4, 3, 3}), {}, {.lengths = lengths});
  };
  EXPECT_EQ(error_of<ShapeError>([&] {
              call({4, 4});
            }),
            "[gru] 2 lengths are given, expected 3: one for each sequence of the batch");
  EXPECT_EQ(error_of<ValueError>([&] {
              call({4, 5, 0});
            }),
            "[gru] length 5 at index 1, expected 1 to 4");
  EXPECT_EQ(error_of<ValueError>([&] {
              call({4, 1, 0});
            }),
            "[gru] length 0 at index 2, expected 1 to 4");
  EXPECT_THROW(call({4, -1, 4}), ValueError);
}

TEST_F(RnnLayers, StatesThatDoNotFitAreNamed) {
  const auto lstm = make(RecurrentKind::lstm, {.bidirectional = true}, 2);
  const Tensor x = Tensor::zeros({4, 3, 3});
  EXPECT_EQ(error_of<ShapeError>([&] {
              (*lstm)(x, {.h = Tensor::zeros({2, 3, 5})});
            }),
            "[lstm] h_0 is f32 of shape [2, 3, 5], expected f32 of shape [2, 3, 2]");
  EXPECT_EQ(error_of<ShapeError>([&] {
              (*lstm)(x, {.c = Tensor::zeros({2, 3, 2})});
            }),
            "[lstm] c_0 is f32 of shape [2, 3, 2], expected f32 of shape [2, 3, 5]");
}

TEST_F(RnnLayers, MasksThatDoNotFitAreNamed) {
  const Tensor x = Tensor::zeros({4, 3, 3});
  const auto call = [&](RecurrentKind kind, const RecurrentMasks& masks, int places = 1) {
    const auto rnn = make(kind, {.bidirectional = true});
    std::vector<RecurrentMasks> all(2);
    all[static_cast<std::size_t>(places) - 1] = masks;
    (*rnn)(x, {}, {.masks = std::span(all).first(static_cast<std::size_t>(places))});
  };
  EXPECT_EQ(error_of<ShapeError>([&] { call(RecurrentKind::gru, {}); }),
            "[gru] 1 RecurrentMasks are given, expected 2: one for each layer and direction");
  EXPECT_EQ(error_of<ShapeError>([&] {
              call(RecurrentKind::gru, {.keep_h = Tensor::zeros({4, 3, 5})}, 2);
            }),
            "[gru] mask keep_h of layer 0 reverse is f32 of shape [4, 3, 5], expected f32 of shape "
            "[3, 5]");
  EXPECT_THROW(call(RecurrentKind::gru, {.zone_h = Tensor::zeros({4, 3, 5}, DType::f64)}, 2),
               ShapeError);
  EXPECT_EQ(error_of<ValueError>([&] {
              call(RecurrentKind::gru, {.keep_x = Tensor::zeros({3, 3})}, 2);
            }),
            "[gru] keep_x of a reverse direction is given, but both directions use the forward "
            "direction's");
  EXPECT_EQ(error_of<ValueError>([&] {
              call(RecurrentKind::gru, {.zone_c = Tensor::zeros({4, 3, 5})}, 2);
            }),
            "[gru] zone_c is given, but only Lstm has a c");
  EXPECT_THROW(call(RecurrentKind::rnn_tanh, {.keep_candidate = Tensor::zeros({4, 3, 5})}, 2),
               ValueError);
}

TEST_F(RnnLayers, OptionsThatMakeNoSenseAreNamed) {
  EXPECT_EQ(error_of<ValueError>([] { Gru(3, 5, {.dropout = 1.5}); }),
            "[gru] dropout is 1.5, expected 0 to 1");
  EXPECT_EQ(error_of<ValueError>([] { Gru(3, 5, {.regularisation = {.weight_drop = -0.5}}); }),
            "[gru] weight_drop is -0.5, expected 0 to 1");
  EXPECT_THROW(Gru(3, 5, {.regularisation = {.zoneout = {.h = NAN}}}), ValueError);
  EXPECT_EQ(error_of<ValueError>([] { Gru(3, 5, {.regularisation = {.zoneout = {.c = 0.1}}}); }),
            "[gru] zoneout.c is given, but only Lstm has a c");
  EXPECT_EQ(error_of<ValueError>([] { Rnn(3, 5, {.regularisation = {.recurrent_dropout = 0.1}}); }),
            "[rnn] recurrent_dropout is given, but a plain recurrent layer has no candidate; use "
            "variational_dropout.state");
  EXPECT_EQ(error_of<ValueError>([] { Lstm(3, 5, {.proj_size = 5}); }),
            "[lstm] proj_size is 5, expected 0 (no projection) to 4, below hidden_size");
  EXPECT_THROW(Lstm(3, 5, {.proj_size = -1}), ValueError);
  EXPECT_THROW(Lstm(0, 5), ValueError);
}

}  // namespace
}  // namespace unroll::nn
