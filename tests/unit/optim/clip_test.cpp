#include "unroll/optim/clip.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "support/expect_error.h"
#include "support/tensors.h"
#include "support/threads.h"
#include "unroll/core/error.h"
#include "unroll/optim/sgd.h"

namespace unroll::optim {
namespace {

using test::error_of;
using Values = std::vector<double>;

template <class T>
Parameter with_gradient(const std::vector<T>& gradient) {
  const Shape shape{static_cast<std::int64_t>(gradient.size())};
  Parameter p{"p", Tensor::zeros(shape, DTypeOf<T>::value).set_requires_grad(true)};
  p.value.backward(Tensor::from(gradient, shape));
  return p;
}

TEST(GradNorm, OfAllGradientsTogether) {
  const Parameters p{with_gradient<double>({2, 3}),
                     with_gradient<double>({6}),
                     {"absent", Tensor::zeros({2}, DType::f64).set_requires_grad(true)}};
  EXPECT_EQ(grad_norm(p), 7);
  EXPECT_EQ(grad_norm({}), 0);
}

TEST(GradNorm, EverySizeCountsEachElementOnce) {
  for (std::size_t n = 0; n < 70; ++n)
    EXPECT_EQ(grad_norm({with_gradient(std::vector<double>(n, 3))}),
              std::sqrt(9.0 * static_cast<double>(n)))
        << n;
}

// 16 running sums for each piece of 16 K elements, and the tree that joins them; pieces, then
// parameters, in order.
double plain_norm(const std::vector<std::vector<float>>& gradients) {
  double total = 0;
  for (const auto& gradient : gradients) {
    double of_parameter = 0;
    for (std::size_t begin = 0; begin < gradient.size(); begin += 16'384) {
      double sums[16] = {};
      for (std::size_t i = begin; i < std::min(gradient.size(), begin + 16'384); ++i) {
        const double v = static_cast<double>(gradient[i]);
        sums[i % 16] += v * v;
      }
      for (const int half : {8, 4, 2, 1})
        for (int s = 0; s < half; ++s) sums[s] += sums[s + half];
      of_parameter += sums[0];
    }
    total += of_parameter;
  }
  return std::sqrt(total);
}

TEST(GradNorm, AddsPiecesAndParametersInOrder) {
  std::vector<std::vector<float>> gradients;
  Parameters p;
  for (const std::int64_t size : {7, 50'001, 16'384, 0, 16'385, 100, 32'768}) {
    const Tensor values =
        test::random_tensor({size}, DType::f32, static_cast<std::uint64_t>(size), 0, 1e3);
    const auto all = values.values<float>();
    gradients.emplace_back(all.begin(), all.end());
    p.push_back(with_gradient(gradients.back()));
  }
  for (const int threads : {1, 2, 3}) {
    const test::Threads guard(threads);
    EXPECT_EQ(grad_norm(p), plain_norm(gradients)) << threads;
    EXPECT_EQ(grad_norm({p[0], p[5]}), plain_norm({gradients[0], gradients[5]})) << threads;
  }
}

TEST(GradNorm, LargestF32IsNoOverflow) {
  const float largest = std::numeric_limits<float>::max();
  EXPECT_NEAR(grad_norm({with_gradient<float>({largest, largest})}) / static_cast<double>(largest),
              std::sqrt(2.0), 1e-12);
}

TEST(Clip, LargeGradientsAreScaledToTheLimit) {
  const Parameters p{with_gradient<double>({3}), with_gradient<double>({4})};
  EXPECT_EQ(clip_grad_norm(p, 0.5), 5);
  EXPECT_NEAR(p[0].value.grad().item(), 0.3, 1e-7);
  EXPECT_NEAR(p[1].value.grad().item(), 0.4, 1e-7);
  EXPECT_NEAR(grad_norm(p), 0.5, 1e-6);
}

TEST(Clip, EveryElementOfALargeGradientIsScaled) {
  const Parameters p{with_gradient(std::vector<float>(50'001, 4)), with_gradient<float>({3, 4})};
  const double norm = clip_grad_norm(p, 1);
  const float scaled = 4 * static_cast<float>(1 / (norm + 1e-6));
  for (const float v : p[0].value.grad().values<float>()) ASSERT_EQ(v, scaled);
  EXPECT_EQ(p[1].value.grad().values<float>()[1], scaled);
}

TEST(Clip, SmallGradientsAreLeftToTheBit) {
  const Parameters p{with_gradient<double>({0.3, 0.4})};
  EXPECT_EQ(clip_grad_norm(p, 1), 0.5);
  EXPECT_EQ(p[0].value.grad().to_vector(), (Values{0.3, 0.4}));
  EXPECT_EQ(clip_grad_norm(p, std::numeric_limits<double>::infinity()), 0.5);
}

TEST(Clip, NormThatIsNotFiniteIsReturned) {
  EXPECT_TRUE(std::isnan(clip_grad_norm({with_gradient<double>({NAN})}, 1)));
  EXPECT_TRUE(std::isinf(
      clip_grad_norm({with_gradient<double>({std::numeric_limits<double>::infinity()})}, 1)));
}

TEST(Clip, LimitMustBePositive) {
  EXPECT_EQ(error_of<ValueError>([] { clip_grad_norm({}, 0); }),
            "[clip_grad_norm] max_norm = 0, expected more than 0");
  EXPECT_THROW(clip_grad_norm({}, NAN), ValueError);
  EXPECT_THROW(clip_grad_norm({}, -1), ValueError);
}

// A layer without a bias has an undefined one.
TEST(Clip, UndefinedParametersHaveNoGradient) {
  const Parameters p{with_gradient<double>({3, 4}), {"bias", Tensor()}};
  EXPECT_EQ(grad_norm(p), 5);
  EXPECT_EQ(clip_grad_norm(p, 1), 5);
  Sgd optimizer(p, SgdOptions{.lr = 1});
  optimizer.step();
  EXPECT_NEAR(p[0].value.grad().to_vector()[0], 0.6, 1e-6);
}

}  // namespace
}  // namespace unroll::optim
