#include "train/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/image_source.h"
#include "support/expect_error.h"
#include "support/specs.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

/// Images of one row of 2 pixels; 3 classes.
data::Dataset evaluated_set(const std::vector<std::uint8_t>& images,
                            const std::vector<std::uint8_t>& labels) {
  data::Dataset set;
  set.name = "made up";
  set.count = static_cast<std::int64_t>(labels.size());
  set.rows = 1;
  set.columns = 2;
  set.classes = 3;
  set.images = images;
  set.labels = labels;
  return set;
}

template <class T>
Evaluation evaluate_images(const infer::Model<T>& model, const data::Dataset& set,
                           std::vector<T>* logits = nullptr) {
  const auto& input = std::get<spec::ImageInput>(model.description().input);
  return evaluate(model, *data::image_source({set, set}, {.input = input}), data::Split::test,
                  logits);
}

/// h = relu(x), logits = (h_0, h_1, 0.5): its answers can be computed by hand.
template <class T>
infer::Model<T> plain_model() {
  const spec::ModelSpec spec = test::rnn_spec(2, 2, 3, 1, Nonlinearity::relu, false);
  const std::vector<float> identity = {1, 0, 0, 1}, zeros(4), readout = {1, 0, 0, 1, 0, 0},
                           bias = {0, 0, 0.5f};
  const auto view = [](const char* name, std::vector<std::int64_t> shape,
                       const std::vector<float>& values) {
    return io::ArrayView{name, io::ElementType::f32, std::move(shape),
                         std::as_bytes(std::span(values))};
  };
  const std::vector<io::ArrayView> weights = {
      view("rnn.weight_ih_l0", {2, 2}, identity), view("rnn.weight_hh_l0", {2, 2}, zeros),
      view("fc.weight", {3, 2}, readout), view("fc.bias", {3}, bias)};
  return infer::Model<T>(spec, weights);
}

template <class T>
struct Evaluate : testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Evaluate, Types);

TYPED_TEST(Evaluate, CountsAndMeasuresByHand) {
  // (1, 0): class 0; (0, 1): class 1; (0, 0): class 2; (1, 1): the first of equals
  const data::Dataset set = evaluated_set({255, 0, 0, 255, 0, 0, 255, 255}, {0, 0, 2, 1});
  std::vector<TypeParam> logits;
  const Evaluation e = evaluate_images(plain_model<TypeParam>(), set, &logits);
  // Predicted are 0, 1, 2, 0.
  EXPECT_EQ(e.confusion.value().counts, (std::vector<std::int64_t>{1, 1, 0, 1, 0, 0, 0, 0, 1}));
  EXPECT_EQ(e.accuracy().correct, 2);
  EXPECT_EQ(e.accuracy().total, 4);
  EXPECT_EQ(e.accuracy().value, 50);
  EXPECT_EQ(logits, (std::vector<TypeParam>{1, 0, 0.5, 0, 1, 0.5, 0, 0, 0.5, 1, 1, 0.5}));
  const double a = std::exp(1) + 1 + std::exp(0.5), b = 2 + std::exp(0.5),
               c = 2 * std::exp(1) + std::exp(0.5);
  const double expected = (std::log(a) - 1 + std::log(a) + std::log(b) - 0.5 + std::log(c) - 1) / 4;
  EXPECT_NEAR(e.loss, expected, sizeof(TypeParam) == 4 ? 1e-6 : 1e-14);
}

// More images than a test takes at a time.
TYPED_TEST(Evaluate, ALargeSetIsTheSumOfItsParts) {
  std::vector<std::uint8_t> images, labels;
  for (int i = 0; i < 5000; ++i) {
    images.push_back(i % 2 ? 255 : 0);
    images.push_back(i % 2 ? 0 : 255);
    labels.push_back(i % 2 ? 0 : 1);
  }
  labels[4999] = 2;
  const Evaluation e = evaluate_images(plain_model<TypeParam>(), evaluated_set(images, labels));
  EXPECT_EQ(e.accuracy().correct, 4999);
  EXPECT_EQ(e.accuracy().total, 5000);
  EXPECT_EQ(e.confusion.value().counts,
            (std::vector<std::int64_t>{2499, 0, 0, 0, 2500, 0, 1, 0, 0}));
  const double right = std::log(std::exp(1) + 1 + std::exp(0.5)) - 1;
  EXPECT_NEAR(e.loss, right + 0.5 / 5000, 1e-5);
}

TYPED_TEST(Evaluate, RefusesImagesOfAnotherWidth) {
  data::Dataset set = evaluated_set({1, 2, 3, 4, 5, 6}, {0, 1});
  set.columns = 3;
  const std::string text =
      test::error_of<ShapeError>([&] { evaluate_images(plain_model<TypeParam>(), set); });
  EXPECT_NE(text.find("1x3"), std::string::npos) << text;
}

TEST(Confusion, MatrixAndScoresByHand) {
  ConfusionMatrix m(3);
  const int truths[] = {0, 0, 0, 1, 1, 0}, predictions[] = {0, 0, 1, 1, 0, 0};
  for (int i = 0; i < 6; ++i) m.add(truths[i], predictions[i]);
  EXPECT_EQ(m.counts, (std::vector<std::int64_t>{3, 1, 0, 1, 1, 0, 0, 0, 0}));
  EXPECT_EQ(m.at(0, 1), 1);
  const auto zero = m.scores(0), one = m.scores(1), none = m.scores(2);
  EXPECT_EQ(zero.precision, 3.0 / 4);
  EXPECT_EQ(zero.recall, 3.0 / 4);
  EXPECT_EQ(zero.f1, 3.0 / 4);
  EXPECT_EQ(zero.count, 4);
  EXPECT_EQ(one.precision, 1.0 / 2);
  EXPECT_EQ(one.recall, 1.0 / 2);
  EXPECT_EQ(one.count, 2);
  EXPECT_EQ(none.precision, 0);
  EXPECT_EQ(none.recall, 0);
  EXPECT_EQ(none.f1, 0);
  EXPECT_EQ(none.count, 0);
}

}  // namespace
}  // namespace unroll::train
