#include "unroll/optim/clip.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/expect_error.h"
#include "unroll/core/error.h"

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

}  // namespace
}  // namespace unroll::optim
