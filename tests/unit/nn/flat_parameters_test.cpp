#include "nn/flat_parameters.h"

#include <gtest/gtest.h>

#include <vector>

#include "unroll/autograd/ops.h"
#include "unroll/nn/linear.h"

namespace unroll::nn {
namespace {

using Values = std::vector<double>;

// A 2 x 1 matrix with a bias of 2, twice: each parameter fills 2 of 16 elements.
struct TwoLayers : Module {
  Linear a, b;
  TwoLayers() : a(child("a"), 1, 2), b(child("b"), 1, 2) {}
};

/// The numbers at these places; zeros elsewhere.
Values buffer(std::size_t size, const std::vector<std::pair<std::size_t, double>>& numbers) {
  Values all(size, 0);
  for (const auto& [place, number] : numbers) all.at(place) = number;
  return all;
}

TEST(FlatParameters, ValuesAreThoseOfTheParametersWithZerosBetweenThem) {
  TwoLayers model;
  const FlatParameters flat(model.parameters());
  float next = 1;
  for (const Parameter& p : flat.parameters())
    for (float& v : p.value.values<float>()) v = next++;
  EXPECT_EQ(flat.values().to_vector(),
            buffer(64, {{0, 1}, {1, 2}, {16, 3}, {17, 4}, {32, 5}, {33, 6}, {48, 7}, {49, 8}}));
  const Parameters copied = flat.in(flat.values().clone());
  EXPECT_EQ(copied[3].name, "b.bias");
  EXPECT_EQ(copied[3].value.to_vector(), (Values{7, 8}));
}

TEST(FlatParameters, AbsentGradientsBecomeZerosAndStayAbsent) {
  TwoLayers model;
  const FlatParameters flat(model.parameters());
  sum(model.b(Tensor::full({1, 1}, 3))).backward();
  for (Parameter p : flat.parameters()) p.value.clear_grad();
  sum(model.a(Tensor::full({1, 1}, 5))).backward();
  flat.zero_absent_gradients();
  EXPECT_EQ(flat.gradients().to_vector(), buffer(64, {{0, 5}, {1, 5}, {16, 1}, {17, 1}}));
  EXPECT_TRUE(flat.has_gradient(0));
  EXPECT_FALSE(flat.has_gradient(2));
  flat.set_has_gradient(2, true);
  EXPECT_EQ(model.b.weight.grad().to_vector(), (Values{0, 0}));
}

TEST(FlatParameters, OfOneParameterHasAGradientBufferToo) {
  struct One : Module {
    Tensor w;
    One() : w(add_parameter("w", Tensor::full({3}, 2))) {}
  } model;
  const FlatParameters flat(model.parameters());
  sum(model.w * model.w).backward();
  EXPECT_EQ(flat.gradients().to_vector(), buffer(16, {{0, 4}, {1, 4}, {2, 4}}));
}

TEST(FlatParameters, OfAPartOfAModelAreAPartOfItsBuffers) {
  TwoLayers model;
  const FlatParameters whole(model.parameters()), part(model.b.parameters());
  EXPECT_EQ(part.values().data<float>(), whole.values().data<float>() + 32);
  EXPECT_EQ(part.gradients().data<float>(), whole.gradients().data<float>() + 32);
  EXPECT_EQ(part.values().numel(), 32);
}

TEST(FlatParameters, WeightsThatShareATensorGetPlacesOfTheirOwn) {
  struct Rows : Module {
    Rows() {
      const Tensor both = Tensor::from(std::vector<float>{1, 2, 3, 4}, {2, 2});
      add_parameter("first", both.select(0, 0));
      add_parameter("second", both.select(0, 1));
    }
  } model;
  EXPECT_EQ(FlatParameters(model.parameters()).values().to_vector(),
            buffer(32, {{0, 1}, {1, 2}, {16, 3}, {17, 4}}));
}

TEST(FlatParameters, OfNothingAreEmpty) { EXPECT_EQ(FlatParameters({}).values().numel(), 0); }

}  // namespace
}  // namespace unroll::nn
