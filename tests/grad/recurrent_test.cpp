// Every recurrent layer against finite differences: directions, ragged batches, projections,
// initial states, every regulariser with masks that stay, and shapes that are special to the
// driver.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>

#include "support/any_recurrent.h"
#include "support/gradcheck.h"
#include "support/tensors.h"
#include "tensor/tensor_impl.h"
#include "unroll/autograd/ops.h"
#include "unroll/nn/cells.h"

namespace unroll {
namespace {

using test::RecurrentKind;

enum class Start { zeros, given, learnt };

struct Case {
  RecurrentKind kind = RecurrentKind::rnn_tanh;
  std::string what = {};
  nn::RecurrentOptions options = {};
  std::int64_t proj_size = 0;
  Start start = Start::given;
  std::vector<std::int64_t> lengths = {};
  std::int64_t batch = 3, steps = 4, input = 2, hidden = 5;
  bool training = true;
};

void PrintTo(const Case& c, std::ostream* out) { *out << test::name_of(c.kind) << " " << c.what; }

class RecurrentGradient : public ::testing::TestWithParam<Case> {
 protected:
  RecurrentGradient() {
    const Case& c = GetParam();
    nn::RecurrentOptions options = c.options;
    Generator generator(17);
    options.generator = &generator;
    options.dtype = DType::f64;
    options.learn_initial_state = c.start == Start::learnt;
    rnn_ = test::make_recurrent(c.kind, c.input, c.hidden, options, c.proj_size);
    rnn_->layer().train(c.training);
    x_ = leaf(options.batch_first ? Shape{c.batch, c.steps, c.input}
                                  : Shape{c.steps, c.batch, c.input});
    const std::int64_t rows = options.num_layers * (options.bidirectional ? 2 : 1);
    if (c.start == Start::given) {
      initial_.h = leaf({rows, c.batch, c.proj_size ? c.proj_size : c.hidden});
      if (c.kind == RecurrentKind::lstm) initial_.c = leaf({rows, c.batch, c.hidden});
    }
    for (const Parameter& p : rnn_->layer().parameters()) {
      // Initial states, and the offsets and factors of normalisations, start equal.
      if (!p.name.starts_with("weight") && !p.name.starts_with("bias"))
        add_into(p.value, test::random_tensor(p.value.shape(), DType::f64, 40, -0.5, 0.5));
      leaves_.push_back(p.value);
    }
  }

  Tensor leaf(const Shape& shape) {
    Tensor tensor = test::random_tensor(shape, DType::f64, 2 + leaves_.size());
    leaves_.push_back(tensor.set_requires_grad(true));
    return tensor;
  }

  /// The same masks every time.
  test::RecurrentResult run() {
    rnn_->layer().masks().set_step(3);
    return (*rnn_)(x_, initial_, {.lengths = GetParam().lengths});
  }

  std::unique_ptr<test::AnyRecurrent> rnn_;
  Tensor x_;
  nn::State initial_;
  std::vector<Tensor> leaves_;
};

TEST_P(RecurrentGradient, OfOutputAndStates) {
  EXPECT_TRUE(test::gradients_agree(
      [&] {
        const auto [output, h_n, c_n] = run();
        Tensor loss = sum(output * output) + sum(h_n * h_n) * 0.5;
        if (c_n.defined()) loss = loss + sum(c_n * c_n) * 0.7;
        return loss;
      },
      leaves_));
}

TEST_P(RecurrentGradient, OfOneStepAndOneState) {
  const int time = GetParam().options.batch_first ? 1 : 0;
  EXPECT_TRUE(test::gradients_agree([&] { return run().output.select(time, 0); }, leaves_));
  EXPECT_TRUE(test::gradients_agree([&] { return run().h_n.select(0, -1); }, leaves_));
  if (GetParam().kind == RecurrentKind::lstm) {
    EXPECT_TRUE(test::gradients_agree([&] { return run().c_n.select(0, 0); }, leaves_));
  }
}

std::vector<Case> cases() {
  std::vector<Case> all;
  const std::vector<std::int64_t> unsorted{2, 1, 4}, sorted{4, 3, 3}, ones{1, 1, 1};
  for (const RecurrentKind kind : test::recurrent_kinds) {
    const bool lstm = kind == RecurrentKind::lstm, gated = lstm || kind == RecurrentKind::gru;
    const auto add = [&](const std::string& what, nn::RecurrentOptions options, Case c = {}) {
      c.kind = kind;
      c.what = what;
      c.options = options;
      all.push_back(c);
    };
    add("plain", {});
    add("zero_state", {.num_layers = 2}, {.start = Start::zeros});
    add("learnt_state", {.num_layers = 2, .bidirectional = true}, {.start = Start::learnt});
    add("learnt_state_ragged", {}, {.start = Start::learnt, .lengths = unsorted});
    add("no_bias", {.bias = false, .batch_first = true});
    add("bidirectional", {.num_layers = 2, .batch_first = true, .bidirectional = true});
    add("ragged", {.num_layers = 2, .bidirectional = true}, {.lengths = sorted});
    add("ragged_unsorted", {.num_layers = 2, .bidirectional = true}, {.lengths = unsorted});
    add("ragged_zero_state", {.batch_first = true, .bidirectional = true},
        {.start = Start::zeros, .lengths = unsorted});
    add("lengths_of_1", {.bidirectional = true}, {.lengths = ones});
    add("one_step", {.num_layers = 2, .bidirectional = true}, {.steps = 1});
    add("one_sequence", {.num_layers = 2, .bidirectional = true}, {.batch = 1});
    add("slices", {}, {.batch = 17, .steps = 3, .hidden = 3});
    add("slices_ragged", {.bidirectional = true},
        {.lengths = {1, 3, 2, 2, 3, 1, 1, 3, 2, 3, 1, 2, 2, 3, 1, 3, 2},
         .batch = 17,
         .steps = 3,
         .input = 1,
         .hidden = 2});
    // Each regulariser alone in one layer, then in a stack of two directions, of ragged and of the
    // smallest batches.
    const auto regularised = [&](const std::string& what, const nn::RecurrentRegularisation& r,
                                 double dropout = 0) {
      add(what, {.num_layers = dropout > 0 ? 2 : 1, .dropout = dropout, .regularisation = r});
      const nn::RecurrentOptions stack{.num_layers = 2,
                                       .batch_first = true,
                                       .dropout = dropout,
                                       .bidirectional = true,
                                       .regularisation = r};
      add(what + "_ragged_stack", stack, {.lengths = unsorted});
      add(what + "_stack_of_one_step", stack, {.steps = 1});
      add(what + "_stack_of_one_sequence", stack, {.batch = 1});
      add(what + "_stack_lengths_of_1", stack, {.lengths = ones});
      add(what + "_evaluated", {.num_layers = 2, .dropout = dropout, .regularisation = r},
          {.start = Start::zeros, .training = false});
    };
    const double c = lstm ? 0.3 : 0, candidate = gated ? 0.3 : 0;
    regularised("dropout", {}, 0.3);
    regularised("variational_dropout", {.variational_dropout = {0.3, 0.3}});
    regularised("zoneout", {.zoneout = {0.3, c}});
    if (gated) regularised("recurrent_dropout", {.recurrent_dropout = 0.3});
    if (lstm) regularised("zoneout_of_c", {.zoneout = {0, 0.3}});
    regularised("weight_drop", {.weight_drop = 0.3});
    regularised("layer_norm", {.layer_norm = true});
    regularised("everything",
                {.variational_dropout = {0.3, 0.3},
                 .recurrent_dropout = candidate,
                 .zoneout = {0.3, c},
                 .weight_drop = 0.3,
                 .layer_norm = true},
                0.3);
    if (lstm) {
      add("projected", {.num_layers = 2, .bidirectional = true}, {.proj_size = 2});
      add("projected_ragged", {}, {.proj_size = 3, .lengths = unsorted});
      add("projected_zero_state", {.batch_first = true}, {.proj_size = 1, .start = Start::zeros});
      add("projected_everything",
          {.num_layers = 2,
           .dropout = 0.3,
           .bidirectional = true,
           .regularisation = {.variational_dropout = {0.3, 0.3},
                              .recurrent_dropout = 0.3,
                              .zoneout = {0.3, 0.3},
                              .weight_drop = 0.3,
                              .layer_norm = true}},
          {.proj_size = 2, .lengths = unsorted});
    }
  }
  return all;
}

constexpr auto name_of_case = [](const auto& info) {
  return test::name_of(info.param.kind) + "_" + info.param.what;
};

INSTANTIATE_TEST_SUITE_P(Layers, RecurrentGradient, ::testing::ValuesIn(cases()), name_of_case);

// Cells driven by the test, each step's state feeding the next.
template <class Cell>
void check_cell(bool bias) {
  Generator generator(5);
  Cell cell(2, 3, {.bias = bias, .dtype = DType::f64, .generator = &generator});
  Tensor x = test::random_tensor({4, 2}, DType::f64, 1);
  Tensor h = test::random_tensor({4, 3}, DType::f64, 2),
         c = test::random_tensor({4, 3}, DType::f64, 3);
  std::vector<Tensor> leaves{x.set_requires_grad(true), h.set_requires_grad(true)};
  if constexpr (std::is_same_v<Cell, nn::LstmCell>) leaves.push_back(c.set_requires_grad(true));
  for (const Parameter& p : cell.parameters()) leaves.push_back(p.value);
  EXPECT_TRUE(test::gradients_agree(
      [&] {
        if constexpr (std::is_same_v<Cell, nn::LstmCell>) {
          nn::State state{h, c};
          for (int t = 0; t < 3; ++t) state = cell(x, state);
          return sum(state.h * state.h) + sum(state.c) * 0.5;
        } else {
          Tensor state = h;
          for (int t = 0; t < 3; ++t) state = cell(x, state);
          return sum(state * state) + sum(cell(x)) * 0.5;
        }
      },
      leaves));
}

TEST(CellGradient, OfAll) {
  for (const bool bias : {true, false}) {
    check_cell<nn::RnnCell>(bias);
    check_cell<nn::LstmCell>(bias);
    check_cell<nn::GruCell>(bias);
  }
}

}  // namespace
}  // namespace unroll
