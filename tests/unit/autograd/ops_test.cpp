#include "unroll/autograd/ops.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "support/expect_error.h"
#include "support/flush_to_zero.h"
#include "unroll/core/error.h"

namespace unroll {
namespace {

using test::error_of;
using Values = std::vector<double>;

Tensor vector_of(const Values& values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(Ops, Arithmetic) {
  const Tensor a = vector_of({1, 2}), b = vector_of({10, -5});
  EXPECT_EQ((a + b).to_vector(), (Values{11, -3}));
  EXPECT_EQ((a - b).to_vector(), (Values{-9, 7}));
  EXPECT_EQ((a * b).to_vector(), (Values{10, -10}));
  EXPECT_EQ((a * 3.0).to_vector(), (Values{3, 6}));
  EXPECT_EQ((0.5 * a).to_vector(), (Values{0.5, 1}));
  EXPECT_EQ((-a).to_vector(), (Values{-1, -2}));
}

TEST(Ops, ViewsOfAnyStrides) {
  const Tensor x = vector_of({1, 2, 3, 4, 5, 6}).view({2, 3});
  EXPECT_EQ((x.transpose(0, 1) + vector_of({10, 20, 30, 40, 50, 60}).view({3, 2})).to_vector(),
            (Values{11, 24, 32, 45, 53, 66}));
  EXPECT_EQ(sum(x.select(1, 1)).item(), 7);
}

TEST(Ops, ShapesAndTypesMustBeEqual) {
  EXPECT_EQ(error_of<ShapeError>([] { Tensor::zeros({2}) + Tensor::zeros({3}); }),
            "[add] got f32 of shape [2] and f32 of shape [3]; expected equal shapes and types");
  EXPECT_THROW(Tensor::zeros({2}) * Tensor::zeros({2}, DType::f64), ShapeError);
  EXPECT_THROW(Tensor::zeros({2}) - Tensor::zeros({2, 1}), ShapeError);
  EXPECT_EQ(error_of<ShapeError>([] { relu(Tensor::zeros({2}, DType::i64)); }),
            "[relu] got a tensor of i64, expected f32 or f64");
  EXPECT_THROW(Tensor() + Tensor::zeros({2}), ShapeError);
}

TEST(Ops, ReluKeepsNan) {
  const Values y = relu(vector_of({-1, 2, -infinity, infinity, NAN, 0})).to_vector();
  EXPECT_EQ(y[0], 0);
  EXPECT_EQ(y[1], 2);
  EXPECT_EQ(y[2], 0);
  EXPECT_EQ(y[3], infinity);
  EXPECT_TRUE(std::isnan(y[4]));
}

TEST(Ops, ReluHasNoSlopeAtZero) {
  const Tensor x = vector_of({-1, 0, 1}).set_requires_grad(true);
  sum(relu(x)).backward();
  EXPECT_EQ(x.grad().to_vector(), (Values{0, 0, 1}));
}

TEST(Ops, SumIsOfF64WhateverTheType) {
  // In f32 1 is lost beside 2^24.
  const Tensor x = Tensor::from(std::vector<float>{0x1p24f, 1, 1, -0x1p24f}, {4});
  EXPECT_EQ(sum(x).item(), 2);
  EXPECT_EQ(mean(x).item(), 0.5);
  EXPECT_EQ(sum(Tensor::zeros({0})).item(), 0);
  EXPECT_THROW(mean(Tensor::zeros({0})), ShapeError);
}

TEST(Ops, Matmul) {
  const Tensor a = vector_of({1, 2, 3, 4, 5, 6}).view({2, 3});
  EXPECT_EQ(matmul(a, a.transpose(0, 1)).to_vector(), (Values{14, 32, 32, 77}));
  EXPECT_EQ(matmul(Tensor::zeros({2, 0}), Tensor::zeros({0, 2})).to_vector(), Values(4, 0));
  EXPECT_EQ(error_of<ShapeError>([&] { matmul(a, a); }),
            "[matmul] got f64 of shape [2, 3] and f64 of shape [2, 3]; expected [M, K] and [K, N] "
            "of one type");
  EXPECT_THROW(matmul(a, vector_of({1, 2, 3})), ShapeError);
}

TEST(Ops, LogSoftmaxOfExtremes) {
  const Values y = log_softmax(vector_of({1e4, 0, -infinity})).to_vector();
  EXPECT_EQ(y, (Values{0, -1e4, -infinity}));
  for (const double v : log_softmax(vector_of({1, NAN, 2})).to_vector()) EXPECT_TRUE(std::isnan(v));
  EXPECT_EQ(log_softmax(vector_of({3})).to_vector(), Values{0});
  EXPECT_THROW(log_softmax(Tensor::full({}, 1)), ShapeError);
  EXPECT_THROW(log_softmax(Tensor::zeros({2, 0})), ShapeError);
  EXPECT_EQ(log_softmax(Tensor::zeros({0, 2})).numel(), 0);
}

TEST(Ops, CatPutsOneBehindTheOther) {
  const Tensor a = vector_of({1, 2, 3, 4}).view({2, 2}), b = vector_of({5, 6}).view({2, 1});
  EXPECT_EQ(cat(a, b, 1).to_vector(), (Values{1, 2, 5, 3, 4, 6}));
  EXPECT_EQ(cat(a, b.transpose(0, 1), 0).to_vector(), (Values{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(cat(a.transpose(0, 1), b, -1).to_vector(), (Values{1, 3, 5, 2, 4, 6}));
  EXPECT_EQ(cat(a, Tensor::zeros({2, 0}, DType::f64), 1).to_vector(), a.to_vector());
  EXPECT_EQ(error_of<ShapeError>([&] { cat(a, b, 0); }),
            "[cat] got f64 of shape [2, 2] and f64 of shape [2, 1]; expected equal types and "
            "sizes, except in dimension 0");
  EXPECT_THROW(cat(a, vector_of({1, 2}), 0), ShapeError);
  EXPECT_THROW(cat(a, Tensor::zeros({2, 1}), 1), ShapeError);
}

TEST(Ops, SigmoidOfExtremes) {
  EXPECT_EQ(sigmoid(vector_of({0, 1000, -1000, infinity, -infinity})).to_vector(),
            (Values{0.5, 1, 0, 1, 0}));
  EXPECT_NEAR(sigmoid(vector_of({1})).item(), 0.731058578630004879, 1e-15);
  EXPECT_TRUE(std::isnan(sigmoid(vector_of({NAN})).item()));
}

TEST(Ops, SymlogIsTheLogarithmForBothSigns) {
  // From math.log1p of Python.
  EXPECT_EQ(symlog(vector_of({0, infinity, -infinity})).to_vector(),
            (Values{0, infinity, -infinity}));
  EXPECT_NEAR(symlog(vector_of({999})).item(), 6.907755278982137, 1e-14);
  EXPECT_NEAR(symlog(vector_of({-0.5})).item(), -0.4054651081081644, 1e-16);
  EXPECT_DOUBLE_EQ(symlog(vector_of({1e-12})).item(), 9.999999999995e-13);
  EXPECT_TRUE(std::signbit(symlog(vector_of({-0.0})).item()));
  EXPECT_TRUE(std::isnan(symlog(vector_of({NAN})).item()));
}

TEST(Ops, SoftmaxOfExtremes) {
  EXPECT_EQ(softmax(vector_of({1e4, 0, -infinity})).to_vector(), (Values{1, 0, 0}));
  EXPECT_EQ(softmax(vector_of({7, 7, 7, 7})).to_vector(), Values(4, 0.25));
  for (const double v : softmax(vector_of({1, NAN, 2})).to_vector()) EXPECT_TRUE(std::isnan(v));
  EXPECT_THROW(softmax(Tensor::full({}, 1)), ShapeError);
  EXPECT_EQ(softmax(Tensor::zeros({0, 2})).numel(), 0);
}

// More elements than one task takes, and a last task with fewer.
TEST(Ops, OfManyElementsAreThoseOfEach) {
  constexpr std::int64_t count = 40001;
  std::vector<double> values(count);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i) - 20000;
  const Tensor x = vector_of(values);
  const Values doubled = (x + x).to_vector(), rectified = relu(x).to_vector();
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(doubled[i], 2 * values[i]);
    ASSERT_EQ(rectified[i], values[i] < 0 ? 0 : values[i]);
  }
}

TEST(Ops, SubnormalsAreKeptWhateverTheCallerSet) {
  const Tensor tiny = Tensor::full({1}, 0x1p-1070, DType::f64);
  const test::FlushToZero flush;
  EXPECT_EQ(std::bit_cast<std::uint64_t>((tiny * 0.5).data<double>()[0]), std::uint64_t{8});
  EXPECT_EQ(std::bit_cast<std::uint64_t>((tiny + tiny).data<double>()[0]), std::uint64_t{32});
}

}  // namespace
}  // namespace unroll
