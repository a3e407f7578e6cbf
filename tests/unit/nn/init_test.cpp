#include "unroll/nn/init.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/expect_error.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using test::error_of;
using Values = std::vector<double>;

TEST(Init, Constant) {
  const Tensor x = Tensor::empty({2, 2});
  init::constant(x, 1.5);
  EXPECT_EQ(x.to_vector(), Values(4, 1.5));
}

TEST(Init, Identity) {
  const Tensor x = Tensor::full({3, 3}, 9, DType::f64);
  init::identity(x);
  EXPECT_EQ(x.to_vector(), (Values{1, 0, 0, 0, 1, 0, 0, 0, 1}));
  EXPECT_EQ(error_of<ShapeError>([] {
              init::identity(Tensor::zeros({2, 3}));
            }),
            "[identity] got shape [2, 3], expected a square matrix");
  EXPECT_THROW(init::identity(Tensor::zeros({4})), ShapeError);
}

TEST(Init, UniformIsInItsRange) {
  Generator generator(1);
  const Tensor x = Tensor::empty({100, 100});
  init::uniform(x, -0.25, 0.5, generator);
  const auto [low, high] = std::ranges::minmax(x.to_vector());
  EXPECT_GE(low, -0.25);
  EXPECT_LT(low, -0.249);
  EXPECT_LT(high, 0.5);
  EXPECT_GT(high, 0.499);
  EXPECT_NEAR(mean(x).item(), 0.125, 0.01);  // standard error 0.002
}

TEST(Init, NormalHasItsMoments) {
  Generator generator(1);
  const Tensor x = Tensor::empty({100, 100}, DType::f64);
  init::normal(x, 3, 0.5, generator);
  EXPECT_NEAR(mean(x).item(), 3, 0.025);  // five standard errors
  const Tensor d = x - Tensor::full({100, 100}, 3, DType::f64);
  EXPECT_NEAR(mean(d * d).item(), 0.25, 0.018);
}

TEST(Init, ViewIsFilledWhereItLies) {
  const Tensor x = Tensor::zeros({2, 2});
  init::constant(x.select(1, 0), 1);
  EXPECT_EQ(x.to_vector(), (Values{1, 0, 1, 0}));
}

/// Whether Q Q^T (or Q^T Q, of which is smaller) is the identity to 1e-6.
// A slope of sqrt(5) makes it +-1/sqrt(fan_in): that of nn::Linear and nn::Conv2d.
TEST(Init, KaimingUniformGoesByHowManyInputsReachAnOutput) {
  Generator generator(1);
  const Tensor weight = Tensor::empty({50, 4, 5, 5}, DType::f64);
  init::kaiming_uniform(weight, std::sqrt(5.0), generator);
  double largest = 0;
  for (const double v : weight.to_vector()) largest = std::max(largest, std::abs(v));
  EXPECT_LE(largest, 0.1 + 1e-8);
  EXPECT_GE(largest, 0.0999);  // of 5000
  EXPECT_EQ(error_of<ShapeError>([&] { init::kaiming_uniform(Tensor::zeros({4}), 0, generator); }),
            "[kaiming_uniform] got shape [4], expected two dimensions or more");
}

void expect_orthogonal(const Tensor& q) {
  const Tensor wide = q.size(0) <= q.size(1) ? q : q.transpose(0, 1);
  const Tensor product = matmul(wide, wide.transpose(0, 1));
  for (std::int64_t i = 0; i < product.size(0); ++i)
    for (std::int64_t j = 0; j < product.size(1); ++j)
      EXPECT_NEAR(product.select(0, i).select(0, j).item(), i == j, 1e-6);
}

TEST(Init, OrthogonalIs) {
  for (const Shape& shape : {Shape{1, 1}, Shape{6, 6}, Shape{4, 9}, Shape{9, 4}, Shape{40, 40}}) {
    Generator generator(1);
    const Tensor q = Tensor::empty(shape, DType::f64);
    init::orthogonal(q, generator);
    expect_orthogonal(q);
  }
  Generator generator(1);
  EXPECT_EQ(error_of<ShapeError>([&] { init::orthogonal(Tensor::zeros({4}), generator); }),
            "[orthogonal] got shape [4], expected a matrix");
}

// PyTorch orthogonalises the normal numbers by QR with a positive diagonal of R, for a wide matrix
// that of its transpose: so R = Q^T A is upper triangular with a positive diagonal.
TEST(Init, OrthogonalIsTheQOfTheNormalNumbers) {
  for (const Shape& shape : {Shape{9, 4}, Shape{5, 5}, Shape{4, 9}}) {
    Generator drawn(7), used(7);
    Tensor a = Tensor::empty(shape), q = Tensor::empty(shape);
    drawn.normal(a.values<float>(), 0, 1);
    init::orthogonal(q, used);
    if (shape[0] < shape[1]) a = a.transpose(0, 1), q = q.transpose(0, 1);
    const Tensor r = matmul(q.transpose(0, 1).to(DType::f64), a.to(DType::f64));
    for (std::int64_t i = 0; i < r.size(0); ++i) {
      EXPECT_GT(r.select(0, i).select(0, i).item(), 0);
      for (std::int64_t j = 0; j < i; ++j)
        EXPECT_NEAR(r.select(0, i).select(0, j).item(), 0, 1e-5) << shape.str();
    }
  }
}

}  // namespace
}  // namespace unroll::nn
