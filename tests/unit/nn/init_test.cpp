#include "unroll/nn/init.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/expect_error.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/nn/linear.h"

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
}

TEST(Init, OrthogonalIsNotTheIdentityAndDiffersBySeed) {
  const auto drawn = [](std::uint64_t seed) {
    Generator generator(seed);
    const Tensor q = Tensor::empty({6, 6});
    init::orthogonal(q, generator);
    return q.to_vector();
  };
  const Tensor eye = Tensor::empty({6, 6});
  init::identity(eye);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Values q = drawn(seed), i = eye.to_vector();
    double most = 0;
    for (std::size_t e = 0; e < q.size(); ++e) most = std::max(most, std::abs(q[e] - i[e]));
    EXPECT_GT(most, 0.5) << seed;
    EXPECT_EQ(q, drawn(seed));
    EXPECT_NE(q, drawn(seed + 1));
  }
}

TEST(Init, OrthogonalIsEachGatesBlockTimesGain) {
  for (const std::int64_t columns : {3, 5, 8}) {
    Generator together(1), apart(1);
    const Tensor q = Tensor::empty({20, columns}, DType::f64);
    init::orthogonal(q, together, 2, 4);
    for (std::int64_t gate = 0; gate < 4; ++gate) {
      const Tensor block = q.view({4, 5, columns}).select(0, gate);
      expect_orthogonal(block * 0.5);
      const Tensor alone = Tensor::empty({5, columns}, DType::f64);
      init::orthogonal(alone, apart, 2);
      EXPECT_EQ(block.to_vector(), alone.to_vector());
    }
  }
}

TEST(Init, OrthogonalRefusesWhatItCannotFill) {
  Generator generator(1);
  const auto error = [&](const Shape& shape, int gates) {
    return error_of<ShapeError>(
        [&] { init::orthogonal(Tensor::zeros(shape), generator, 1, gates); });
  };
  EXPECT_EQ(error({4}, 1), "[orthogonal] got shape [4], expected a matrix");
  EXPECT_EQ(error({6, 2}, 4), "[orthogonal] got shape [6, 2], expected rows for 4 gates");
  EXPECT_EQ(error_of<ValueError>([&] {
              init::orthogonal(Tensor::zeros({4, 4}), generator, NAN);
            }),
            "[orthogonal] gain = nan, expected a finite number");
  EXPECT_EQ(error_of<ValueError>([&] {
              init::orthogonal(Tensor::zeros({4, 4}), generator, 1, 0);
            }),
            "[orthogonal] 0 gates, expected at least 1");
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

// The table of torch.nn.init.calculate_gain.
TEST(Init, GainIsPyTorchs) {
  using enum init::Activation;
  EXPECT_EQ(init::calculate_gain(linear), 1);
  EXPECT_EQ(init::calculate_gain(sigmoid), 1);
  EXPECT_EQ(init::calculate_gain(tanh), 5.0 / 3);
  EXPECT_DOUBLE_EQ(init::calculate_gain(relu), 1.4142135623730951);
  EXPECT_DOUBLE_EQ(init::calculate_gain(leaky_relu), 1.4141428569978354);  // slope 0.01
  EXPECT_DOUBLE_EQ(init::calculate_gain(leaky_relu, 1), 1);
  EXPECT_EQ(init::calculate_gain(selu), 0.75);
}

/// The largest magnitude of uniform numbers, for the bound.
double bound_of(const Tensor& x) {
  double most = 0;
  for (const double v : x.to_vector()) most = std::max(most, std::abs(v));
  return most;
}

double std_of(const Tensor& x) { return std::sqrt(mean(x * x).item()); }

// Fans of 50 and 150: sqrt(6 / 200) and sqrt(2 / 200).
TEST(Init, XavierHasItsBoundAndDeviation) {
  Generator generator(1);
  const Tensor x = Tensor::empty({150, 50}, DType::f64);
  init::xavier_uniform(x, generator);
  EXPECT_LE(bound_of(x), 0.17320509);
  EXPECT_GT(bound_of(x), 0.1730);
  EXPECT_NEAR(mean(x).item(), 0, 0.006);  // five standard errors
  init::xavier_uniform(x, generator, 2);
  EXPECT_GT(bound_of(x), 0.3460);
  init::xavier_normal(x, generator, 3);
  EXPECT_NEAR(std_of(x), 0.3, 0.0123);  // five standard errors
  EXPECT_NEAR(mean(x).item(), 0, 0.0174);
}

TEST(Init, KaimingHasItsBoundAndDeviation) {
  using enum init::FanMode;
  Generator generator(1);
  const Tensor x = Tensor::empty({150, 50}, DType::f64);
  init::kaiming_uniform(x, generator);  // sqrt(2) sqrt(3 / 50)
  EXPECT_LE(bound_of(x), 0.34641017);
  EXPECT_GT(bound_of(x), 0.3460);
  init::kaiming_uniform(x, generator, {.a = 1, .mode = fan_out});  // sqrt(3 / 150)
  EXPECT_LE(bound_of(x), 0.14142136);
  EXPECT_GT(bound_of(x), 0.1412);
  init::kaiming_normal(x, generator, {.nonlinearity = init::Activation::relu});  // sqrt(2 / 50)
  EXPECT_NEAR(std_of(x), 0.2, 0.0082);  // five standard errors
  init::kaiming_normal(x, generator, {.mode = fan_out, .nonlinearity = init::Activation::tanh});
  EXPECT_NEAR(std_of(x), 5.0 / 3 / std::sqrt(150.0), 0.0056);
}

// PyTorch initialises Linear by Kaiming with a = sqrt(5); tests/golden has its bits.
TEST(Init, KaimingUniformIsLinearsOwn) {
  Generator layers(7, Rng::torch), own(7, Rng::torch);
  const Linear layer(5, 3, {.bias = false, .generator = &layers});
  const Tensor x = Tensor::empty({3, 5});
  init::kaiming_uniform(x, own, {.a = std::sqrt(5.0)});
  EXPECT_EQ(x.to_vector(), layer.weight.to_vector());
}

// A convolution's fans count the positions of its kernel: 30 2 2 = 120 in, 40 2 2 = 160 out. The
// bounds and deviations that torch.nn.init documents: sqrt(6 / 280), sqrt(2 / 280), sqrt(6 / 120),
// sqrt(6 / 160) and sqrt(2 / 160).
TEST(Init, FansOfAConvolutionCountItsKernel) {
  Generator generator(1);
  const Tensor x = Tensor::empty({40, 30, 2, 2}, DType::f64);
  init::xavier_uniform(x, generator);
  EXPECT_LE(bound_of(x), 0.14638502);
  EXPECT_GT(bound_of(x), 0.1462);
  init::xavier_normal(x, generator);
  EXPECT_NEAR(std_of(x), 0.08451543, 0.0043);  // five standard errors
  init::kaiming_uniform(x, generator);
  EXPECT_LE(bound_of(x), 0.2236069);
  EXPECT_GT(bound_of(x), 0.2233);
  init::kaiming_uniform(x, generator, {.mode = init::FanMode::fan_out});
  EXPECT_LE(bound_of(x), 0.1936492);
  EXPECT_GT(bound_of(x), 0.1934);
  init::kaiming_normal(x, generator, {.mode = init::FanMode::fan_out});
  EXPECT_NEAR(std_of(x), 0.1118034, 0.0057);
  const Tensor line = Tensor::empty({100, 8, 5});  // of a convolution in one dimension
  init::kaiming_uniform(line, generator);          // sqrt(6 / 40)
  EXPECT_LE(bound_of(line), 0.3872984);
  EXPECT_GT(bound_of(line), 0.3865);
}

TEST(Init, FansNeedTwoDimensions) {
  Generator generator(1);
  const Tensor x = Tensor::zeros({4});
  EXPECT_EQ(error_of<ShapeError>([&] { init::xavier_uniform(x, generator); }),
            "[xavier_uniform] got shape [4], expected two dimensions or more");
  EXPECT_THROW(init::xavier_normal(x, generator), ShapeError);
  EXPECT_THROW(init::kaiming_uniform(x, generator), ShapeError);
  EXPECT_THROW(init::kaiming_normal(x, generator), ShapeError);
}

TEST(Init, FactorsThatAreNotFiniteAreRefused) {
  Generator generator(1);
  const Tensor x = Tensor::zeros({4, 4});
  EXPECT_EQ(error_of<ValueError>([&] { init::xavier_uniform(x, generator, NAN); }),
            "[xavier_uniform] gain = nan, expected a finite number");
  EXPECT_THROW(init::xavier_normal(x, generator, INFINITY), ValueError);
  EXPECT_EQ(error_of<ValueError>([&] { init::kaiming_uniform(x, generator, {.a = NAN}); }),
            "[kaiming_uniform] a = nan, expected a finite number");
  EXPECT_THROW(init::kaiming_normal(x, generator, {.a = NAN}), ValueError);
  EXPECT_THROW(init::kaiming_uniform(x, NAN, generator), ValueError);
  EXPECT_THROW(init::forget_gate_bias(Tensor::zeros({8}), NAN), ValueError);
  EXPECT_EQ(x.to_vector(), Values(16, 0));
}

TEST(Init, OneGatesBlockIsFilledThroughAView) {
  Generator generator(1), alone(1);
  const Tensor weight = Tensor::zeros({6, 2}).set_requires_grad(true),
               block = Tensor::empty({2, 2});
  init::xavier_uniform(weight.view({3, 2, 2}).select(0, 1), generator);
  init::xavier_uniform(block, alone);
  Values expected(12, 0);
  std::ranges::copy(block.to_vector(), expected.begin() + 4);
  EXPECT_EQ(weight.to_vector(), expected);
}

TEST(Init, ForgetGateBiasSetsTheSecondOfFour) {
  const Tensor bias = Tensor::full({8}, 0.5);
  init::forget_gate_bias(bias);
  EXPECT_EQ(bias.to_vector(), (Values{0.5, 0.5, 1, 1, 0.5, 0.5, 0.5, 0.5}));
  init::forget_gate_bias(bias, -2);
  EXPECT_EQ(bias.to_vector(), (Values{0.5, 0.5, -2, -2, 0.5, 0.5, 0.5, 0.5}));
  EXPECT_EQ(error_of<ShapeError>([] { init::forget_gate_bias(Tensor::zeros({6})); }),
            "[forget_gate_bias] got shape [6], expected a vector of 4 gates' biases");
  EXPECT_THROW(init::forget_gate_bias(Tensor::zeros({4, 4})), ShapeError);
}

}  // namespace
}  // namespace unroll::nn
