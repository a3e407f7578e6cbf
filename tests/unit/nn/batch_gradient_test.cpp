// A batch that is walked in parts, against plain loops over its parts.
#include "nn/batch_gradient.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/tensors.h"
#include "unroll/autograd/ops.h"
#include "unroll/nn/dropout.h"
#include "unroll/nn/linear.h"

namespace unroll::nn {
namespace {

std::vector<std::size_t> rows_of_parts(const Shards& whole, std::size_t rows) {
  std::vector<BatchPart> parts = {{Shards(3), 0}};  // of another batch
  cut({whole, 77}, rows, parts);
  std::vector<std::size_t> all;
  for (const BatchPart& part : parts) {
    all.push_back(part.shards.rows());
    EXPECT_EQ(part.steps, 77u);
    EXPECT_EQ(part.shards.whole_rows(), whole.whole_rows());
  }
  return all;
}

TEST(Cut, RoundsDownToWholeShards) {
  using Rows = std::vector<std::size_t>;
  EXPECT_EQ(rows_of_parts(Shards(100), 0), Rows{100});
  EXPECT_EQ(rows_of_parts(Shards(100), 100), Rows{100});
  EXPECT_EQ(rows_of_parts(Shards(100), 99), (Rows{50, 50}));
  EXPECT_EQ(rows_of_parts(Shards(100), 49), (Rows{25, 25, 25, 25}));
  EXPECT_EQ(rows_of_parts(Shards(100), 1), (Rows{25, 25, 25, 25}));
  // No part has more rows than asked for, also where shards are uneven.
  EXPECT_EQ(rows_of_parts(Shards(127, 8), 32), (Rows{31, 32, 32, 32}));
  EXPECT_EQ(rows_of_parts(Shards(127, 8), 31), (Rows{15, 16, 16, 16, 16, 16, 16, 16}));
  EXPECT_EQ(rows_of_parts(Shards(9), 4), Rows{9});
}

TEST(RowsOf, AreAViewOfThePart) {
  const Tensor x = test::random_tensor({7, 2, 3}, DType::f32, 1);
  const BatchPart part{Shards(7, 4).node(2, 2), 0};
  const Tensor rows = rows_of(x, part);
  EXPECT_EQ(rows.shape(), (Shape{4, 2, 3}));
  EXPECT_EQ(rows.data<float>(), x.data<float>() + 18);
  EXPECT_EQ(rows_of(x, {Shards(7, 4), 0}).data<float>(), x.data<float>());
}

struct BatchModel : Module {
  Linear fc;
  Dropout dropout;
  explicit BatchModel(DType dtype)
      : fc(child("fc"), 3, 2, {.dtype = dtype}), dropout(child("drop"), 0) {}
};

/// The sum of the numbers as the rule has it: 0+1, 2+3, ..., then pairs of these.
template <class T>
std::vector<T> added_in_pairs(std::vector<std::vector<T>> level) {
  while (level.size() > 1) {
    std::vector<std::vector<T>> above;
    for (std::size_t i = 0; i < level.size(); i += 2) {
      above.push_back(level[i]);
      for (std::size_t j = 0; j < level[i].size(); ++j) above.back()[j] += level[i + 1][j];
    }
    level = above;
  }
  return level[0];
}

template <class T>
struct BatchGradients : testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(BatchGradients, Types);

TYPED_TEST(BatchGradients, AreAddedInTheTree) {
  using T = TypeParam;
  constexpr DType dtype = DTypeOf<T>::value;
  for (const std::size_t count : {1u, 2u, 4u, 8u, 16u}) {
    BatchModel model(dtype);
    const FlatParameters parameters(model.parameters());
    BatchGradient gradient(parameters, {});
    const Tensor x = test::random_tensor({37, 3}, dtype, 2);
    std::vector<BatchPart> parts;
    cut({Shards(37, count), 0}, 1, parts);
    ASSERT_EQ(parts.size(), count);
    const auto terms_of = [&](std::size_t k, std::vector<Tensor>& terms) {
      const Tensor y = model.fc(rows_of(x, parts[k]));
      terms.push_back(sum(y * y));
      terms.push_back(sum(tanh(y)));
      terms.push_back(sum(y));
    };
    std::vector<std::vector<T>> alone, terms_alone;
    for (std::size_t k = 0; k < count; ++k) {
      const WithBatchPart here(parts[k]);
      for (const Parameter& p : model.parameters()) Tensor(p.value).clear_grad();
      std::vector<Tensor> terms;
      terms_of(k, terms);
      (terms[0] + (terms[1] + terms[2])).backward();
      alone.emplace_back();
      for (const Parameter& p : model.parameters())
        for (const T g : p.value.grad().template values<T>()) alone.back().push_back(g);
      terms_alone.emplace_back();
      for (const Tensor& term : terms) terms_alone.back().push_back(static_cast<T>(term.item()));
    }
    for (int again = 0; again < 2; ++again) {
      const double loss = gradient.minimise(parts, terms_of);
      std::vector<T> together;
      for (const Parameter& p : model.parameters())
        for (const T g : p.value.grad().template values<T>()) together.push_back(g);
      EXPECT_EQ(together, added_in_pairs(alone)) << count;
      const std::vector<T> terms = added_in_pairs(terms_alone);
      EXPECT_EQ(loss, static_cast<T>(terms[0] + static_cast<T>(terms[1] + terms[2]))) << count;
    }
  }
}

TEST(BatchGradient, EveryPartDrawsFromTheSameKeys) {
  BatchModel model(DType::f32);
  const FlatParameters parameters(model.parameters());
  BatchGradient gradient(parameters, {&model.dropout.masks()});
  const Tensor x = test::random_tensor({8, 3}, DType::f32, 2);
  std::vector<BatchPart> parts;
  cut({Shards(8, 4), 0}, 1, parts);
  model.dropout.masks().set_step(5);
  std::vector<std::uint64_t> steps;
  const auto use = [&] { steps.push_back(model.dropout.masks().next().step); };
  gradient.minimise(parts, [&](std::size_t k, std::vector<Tensor>& terms) {
    use();
    terms.push_back(sum(model.fc(rows_of(x, parts[k]))));
  });
  gradient.walk(parts, [&](std::size_t, std::vector<Tensor>&) { use(); });
  EXPECT_EQ(steps, (std::vector<std::uint64_t>{5, 5, 5, 5, 6, 6, 6, 6}));
  EXPECT_EQ(model.dropout.masks().step(), 7u);
}

// A parameter without a gradient in some parts counts as zeros there. Without one in all parts it
// has none.
TEST(BatchGradient, AbsentGradientsOfPartsAreZeros) {
  struct Two : Module {
    Linear a, b;
    Two() : a(child("a"), 1, 1), b(child("b"), 1, 1, {.bias = false}) {}
  } model;
  const FlatParameters parameters(model.parameters());
  BatchGradient gradient(parameters, {});
  const Tensor x = Tensor::from(std::vector<float>{1, 2, 4, 8}, {4, 1});
  std::vector<BatchPart> parts;
  cut({Shards(4, 4), 0}, 1, parts);
  const auto minimise = [&](std::vector<std::size_t> with_b) {
    gradient.minimise(parts, [&](std::size_t k, std::vector<Tensor>& terms) {
      const Tensor rows = rows_of(x, parts[k]);
      const bool both = std::ranges::find(with_b, k) != with_b.end();
      terms.push_back(sum(both ? model.a(rows) + model.b(rows) : model.a(rows)));
    });
    EXPECT_EQ(model.a.weight.grad().item(), 15);
  };
  for (int again = 0; again < 2; ++again) {
    minimise({0, 1, 2, 3});
    EXPECT_EQ(model.b.weight.grad().item(), 15);
    minimise({1});
    EXPECT_EQ(model.b.weight.grad().item(), 2);
    minimise({0, 2});
    EXPECT_EQ(model.b.weight.grad().item(), 5);
    minimise({});
    EXPECT_FALSE(model.b.weight.grad().defined());
  }
}

TEST(BatchGradient, OperationsKnowTheirPart) {
  BatchModel model(DType::f32);
  const FlatParameters parameters(model.parameters());
  BatchGradient gradient(parameters, {});
  const Tensor x = test::random_tensor({40, 3}, DType::f32, 2);
  std::vector<BatchPart> parts;
  cut({Shards(40, 4), 9}, 20, parts);
  std::vector<std::size_t> firsts;
  const auto see = [&](std::size_t k) {
    ASSERT_NE(batch_part(), nullptr);
    EXPECT_EQ(batch_part()->steps, 9u);
    EXPECT_EQ(shards_of(20).count(), 2u);
    firsts.push_back(shards_of(20).first_row());
    (void)k;
  };
  gradient.minimise(parts, [&](std::size_t k, std::vector<Tensor>& terms) {
    see(k);
    terms.push_back(sum(model.fc(rows_of(x, parts[k]))));
  });
  gradient.walk(parts, [&](std::size_t k, std::vector<Tensor>&) { see(k); });
  EXPECT_EQ(firsts, (std::vector<std::size_t>{0, 20, 0, 20}));
  EXPECT_EQ(batch_part(), nullptr);
}

}  // namespace
}  // namespace unroll::nn
