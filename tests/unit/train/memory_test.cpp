// Tests models on the memory tasks.

#include <gtest/gtest.h>

#include <cmath>

#include "data/memory_source.h"
#include "support/expect_error.h"
#include "support/specs.h"
#include "train/evaluate.h"
#include "unroll/core/error.h"
#include "unroll/data/sequence_tasks.h"

namespace unroll::train {
namespace {

/// A model whose state is always 0, so that every answer is its bias.
template <class T>
infer::Model<T> constant_model(const std::string& task, std::int64_t length,
                               const std::vector<double>& answer) {
  const bool copy = task == "copy";
  const auto input = copy ? spec::SeriesInput{.features = 10, .steps = length + 20}
                          : spec::SeriesInput{.features = 2, .steps = length};
  const auto outputs = static_cast<std::int64_t>(answer.size());
  spec::ModelSpec spec =
      test::recurrent_spec({.input_size = input.features,
                            .hidden_size = 1,
                            .bias = false,
                            .readout = copy ? spec::Readout::every_step : spec::Readout::last},
                           outputs);
  spec.input = input;
  spec.output = copy ? spec::Output::logits : spec::Output::values;
  const std::vector<double> zeros(16);
  const auto view = [](const char* name, std::vector<std::int64_t> shape, const double* values) {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    return io::ArrayView{name, io::ElementType::f64, std::move(shape),
                         std::as_bytes(std::span(values, static_cast<std::size_t>(count)))};
  };
  const std::vector<io::ArrayView> weights = {
      view("rnn.weight_ih_l0", {1, input.features}, zeros.data()),
      view("rnn.weight_hh_l0", {1, 1}, zeros.data()), view("fc.weight", {outputs, 1}, zeros.data()),
      view("fc.bias", {outputs}, answer.data())};
  return infer::Model<T>(spec, weights);
}

template <class T>
Evaluation evaluate_task(const infer::Model<T>& model, const std::string& task) {
  return evaluate(model, *data::memory_source(task, model.description().input));
}

template <class T>
struct EvaluateTask : testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(EvaluateTask, Types);

// A model that always answers 1 has a squared error of 1/6, the variance of the sum of two uniform
// numbers. It is within 0.04 with a probability of 1 - 0.96^2.
TYPED_TEST(EvaluateTask, AddingByOneWhoAlwaysAnswersOne) {
  const Evaluation e = evaluate_task(constant_model<TypeParam>("adding", 30, {1}), "adding");
  EXPECT_EQ(e.accuracy().total, 1000);
  EXPECT_NEAR(e.loss, 1.0 / 6, 0.02);
  EXPECT_NEAR(e.accuracy().value, 100 * (1 - 0.96 * 0.96), 3.5);  // four standard deviations
  // The same from the sequences themselves.
  double loss = 0;
  std::int64_t correct = 0;
  const auto targets = data::adding({.length = 30, .split = data::Split::test}, 0, 1000).targets;
  for (const double sum : targets.to_vector()) {
    loss += (sum - 1) * (sum - 1) / 1000;
    correct += std::abs(sum - 1) < 0.04;
  }
  EXPECT_NEAR(e.loss, loss, 1e-6);
  EXPECT_EQ(e.accuracy().correct, correct);
}

TYPED_TEST(EvaluateTask, CopyByOneWhoAlwaysAnswersFive) {
  std::vector<double> answer(8);
  const Evaluation guess = evaluate_task(constant_model<TypeParam>("copy", 4, answer), "copy");
  EXPECT_EQ(guess.accuracy().total, 10000);
  EXPECT_NEAR(guess.loss, std::log(8), 1e-6);
  answer[5] = 1;
  const Evaluation e = evaluate_task(constant_model<TypeParam>("copy", 4, answer), "copy");
  std::int64_t fives = 0;
  const auto targets = data::copying({.length = 4, .split = data::Split::test}, 0, 1000).targets;
  for (const double symbol : targets.to_vector()) fives += symbol == 5;
  EXPECT_EQ(e.accuracy().correct, fives);
  EXPECT_NEAR(e.accuracy().value, 12.5, 1.4);  // four standard deviations
  const double share = static_cast<double>(fives) / 10000;
  EXPECT_NEAR(e.loss, std::log(7 + std::exp(1)) - share, 1e-6);
}

// A test of long sequences is made in pieces. The result must be the same.
TEST(EvaluateTask, InPiecesAsAtOnce) {
  const Evaluation e = evaluate_task(constant_model<float>("adding", 40000, {1}), "adding");
  const auto targets =
      data::adding({.length = 40000, .split = data::Split::test}, 0, 1000).targets.to_vector();
  double loss = 0;
  for (const double sum : targets) loss += (sum - 1) * (sum - 1) / 1000;
  EXPECT_EQ(e.accuracy().total, 1000);
  EXPECT_NEAR(e.loss, loss, 1e-6);
}

TEST(EvaluateTask, AModelForSomethingElseIsRefused) {
  const auto adding = constant_model<float>("adding", 9, {0});
  EXPECT_EQ(test::error_of<ShapeError>([&] { evaluate_task(adding, "copy"); }),
            "[eval] the model does not fit copy: it reads 2 numbers a step and gives 1 values");
  EXPECT_THROW(evaluate_task(constant_model<float>("adding", 9, {0, 0}), "adding"), ShapeError);
  EXPECT_THROW(evaluate_task(constant_model<float>("copy", 9, {0, 0}), "copy"), ShapeError);
  EXPECT_THROW(evaluate_task(constant_model<float>("adding", 0, {0}), "adding"), Error);
}

}  // namespace
}  // namespace unroll::train
