// The recurrent layer against finite differences, for every option, way of reading it, and shape
// that is special to the driver (one row, one step, one unit, several slices).
#include "unroll/nn/rnn.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "support/gradcheck.h"
#include "support/tensors.h"
#include "unroll/autograd/ops.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/loss.h"

namespace unroll {
namespace {

struct Sizes {
  std::int64_t batch, steps, input, hidden;
};

struct RnnCase {
  Nonlinearity nonlinearity = Nonlinearity::tanh;
  std::int64_t layers = 1;
  bool bias = true, batch_first = false, h_0 = true;
  Sizes sizes{3, 4, 2, 5};

  std::string name() const {
    return fmt::format("{}_L{}{}{}{}_N{}_T{}_I{}_H{}",
                       nonlinearity == Nonlinearity::relu ? "relu" : "tanh", layers,
                       bias ? "" : "_no_bias", batch_first ? "_batch_first" : "",
                       h_0 ? "" : "_no_h0", sizes.batch, sizes.steps, sizes.input, sizes.hidden);
  }
};

void PrintTo(const RnnCase& c, std::ostream* out) { *out << c.name(); }

class RnnGradient : public ::testing::TestWithParam<RnnCase> {
 protected:
  RnnGradient() {
    const RnnCase& c = GetParam();
    const auto [batch, steps, input, hidden] = c.sizes;
    // Seeds for which no sum in any of the cases comes so near to ReLU's kink that a difference's
    // two sides lie on both sides of it.
    Generator generator(17);
    rnn_ = std::make_unique<nn::Rnn>(input, hidden,
                                     nn::RnnOptions{.num_layers = c.layers,
                                                    .nonlinearity = c.nonlinearity,
                                                    .bias = c.bias,
                                                    .batch_first = c.batch_first,
                                                    .dtype = DType::f64,
                                                    .generator = &generator});
    x_ = test::random_tensor(
        c.batch_first ? Shape{batch, steps, input} : Shape{steps, batch, input}, DType::f64, 1);
    leaves_.push_back(x_.set_requires_grad(true));
    if (c.h_0) {
      h_0_ = test::random_tensor({c.layers, batch, hidden}, DType::f64, 2);
      leaves_.push_back(h_0_.set_requires_grad(true));
    }
    for (const Parameter& p : rnn_->parameters()) leaves_.push_back(p.value);
  }

  nn::RnnResult run() const { return (*rnn_)(x_, h_0_); }

  /// One step of the output, as the model of the tutorial takes the last.
  Tensor step(const Tensor& output, std::int64_t index) const {
    return output.select(GetParam().batch_first ? 1 : 0, index);
  }

  void check(const std::function<Tensor()>& compute) const {
    EXPECT_TRUE(test::gradients_agree(compute, leaves_));
  }

  std::unique_ptr<nn::Rnn> rnn_;
  Tensor x_, h_0_;
  std::vector<Tensor> leaves_;
};

TEST_P(RnnGradient, OfOutput) {
  check([&] { return run().output; });
}

TEST_P(RnnGradient, OfLastStep) {
  check([&] { return step(run().output, -1); });
}

TEST_P(RnnGradient, OfFirstStep) {
  check([&] { return step(run().output, 0); });
}

TEST_P(RnnGradient, OfFinalState) {
  check([&] { return run().h_n; });
}

TEST_P(RnnGradient, OfOneSequence) {
  check([&] { return run().output.select(GetParam().batch_first ? 0 : 1, -1); });
}

TEST_P(RnnGradient, OfAllTogether) {
  check([&] {
    const auto [output, h_n] = run();
    return mean(output * output) + sum(step(output, -1)) * 0.3 + sum(step(output, 0)) * 0.7 +
           sum(h_n * h_n) * 0.5;
  });
}

std::vector<RnnCase> options() {
  std::vector<RnnCase> cases;
  for (const auto f : {Nonlinearity::tanh, Nonlinearity::relu})
    for (const std::int64_t layers : {1, 2, 3})
      for (const bool bias : {true, false})
        for (const bool batch_first : {false, true})
          for (const bool h_0 : {true, false}) cases.push_back({f, layers, bias, batch_first, h_0});
  return cases;
}

std::vector<RnnCase> special_sizes() {
  std::vector<RnnCase> cases;
  for (const auto f : {Nonlinearity::tanh, Nonlinearity::relu})
    for (const bool h_0 : {true, false})
      for (const Sizes& sizes : {Sizes{3, 1, 2, 5},
                                 {1, 4, 2, 5},
                                 {1, 1, 2, 5},
                                 {3, 4, 2, 1},
                                 {1, 1, 1, 1},
                                 {17, 3, 2, 3},
                                 {33, 2, 1, 2},
                                 {100, 3, 1, 2}})
        cases.push_back({f, 2, true, true, h_0, sizes});
  return cases;
}

constexpr auto name_of_rnn_case = [](const auto& info) { return info.param.name(); };

INSTANTIATE_TEST_SUITE_P(Options, RnnGradient, ::testing::ValuesIn(options()), name_of_rnn_case);
INSTANTIATE_TEST_SUITE_P(Sizes, RnnGradient, ::testing::ValuesIn(special_sizes()),
                         name_of_rnn_case);

// As in the tutorial: the last step into a linear layer and the cross-entropy.
TEST(ModelGradient, RnnIntoLinearIntoCrossEntropy) {
  struct Model : nn::Module {
    nn::Rnn rnn;
    nn::Linear fc;
    Model(Generator& g)
        : rnn(child("rnn"), 3, 6,
              {.num_layers = 2,
               .nonlinearity = Nonlinearity::relu,
               .batch_first = true,
               .dtype = DType::f64,
               .generator = &g}),
          fc(child("fc"), 6, 4, {.dtype = DType::f64, .generator = &g}) {}
    Tensor forward(const Tensor& x) const { return fc(rnn(x).output.select(1, -1)); }
  };
  Generator generator(3);
  Model model(generator);
  const Tensor x = test::random_tensor({5, 4, 3}, DType::f64, 1);
  const Tensor target = Tensor::from(std::vector<std::int64_t>{0, 3, 1, 1, 2}, {5});
  std::vector<Tensor> leaves;
  for (const Parameter& p : model.parameters()) leaves.push_back(p.value);
  EXPECT_TRUE(
      test::gradients_agree([&] { return nn::cross_entropy(model.forward(x), target); }, leaves));
}

// Two layers fed by one another's results: gradients of a state and of an output meet.
TEST(ModelGradient, StateOfOneLayerStartsAnother) {
  Generator generator(3);
  const nn::RnnOptions options{.dtype = DType::f64, .generator = &generator};
  nn::Rnn encoder(2, 4, options), decoder(4, 4, options);
  Tensor x = test::random_tensor({3, 2, 2}, DType::f64, 1);
  std::vector<Tensor> leaves{x.set_requires_grad(true)};
  for (nn::Rnn* rnn : {&encoder, &decoder})
    for (const Parameter& p : rnn->parameters()) leaves.push_back(p.value);
  EXPECT_TRUE(test::gradients_agree(
      [&] {
        const auto [output, h_n] = encoder(x);
        return decoder(output, h_n).output;
      },
      leaves));
}

// A cell of the user's own, from operations alone: a gated unit without bias.
TEST(ModelGradient, OwnCellIsDifferentiatedByTheTape) {
  struct Cell : nn::Module {
    nn::Linear update, candidate;
    Cell(Generator& g)
        : update(child("update"), 5, 5, {.bias = false, .dtype = DType::f64, .generator = &g}),
          candidate(child("candidate"), 5, 5, {.dtype = DType::f64, .generator = &g}) {}
    Tensor forward(const Tensor& x) const {  // (T, N, 5)
      Tensor h = Tensor::zeros({x.size(1), 5}, x.dtype());
      for (std::int64_t t = 0; t < x.size(0); ++t) {
        const Tensor u = tanh(update(x.select(0, t) + h));
        h = h - u * (h - relu(candidate(x.select(0, t) - h)));
      }
      return h;
    }
  };
  Generator generator(5);
  Cell cell(generator);
  Tensor x = test::random_tensor({6, 3, 5}, DType::f64, 1);
  std::vector<Tensor> leaves{x.set_requires_grad(true)};
  for (const Parameter& p : cell.parameters()) leaves.push_back(p.value);
  EXPECT_TRUE(test::gradients_agree([&] { return cell.forward(x); }, leaves));
}

}  // namespace
}  // namespace unroll
