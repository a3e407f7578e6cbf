#include "unroll/nn/loss.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/elementwise.h"
#include "autograd/node.h"
#include "core/float_environment.h"
#include "core/numerics.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;
using autograd::map2;

Tensor reduce(const Tensor& each, Reduction reduction) {
  switch (reduction) {
    case Reduction::mean:
      return mean(each);
    case Reduction::sum:
      return sum(each);
    case Reduction::none:
      break;
  }
  return each;
}

/// The loss f(x, t) for each element x of the input and t of the target. d_input and d_target are
/// f's derivatives with respect to x and t.
template <class F, class DInput, class DTarget>
Tensor pointwise(std::string_view operation, const Tensor& input, const Tensor& target,
                 Reduction reduction, F f, DInput d_input, DTarget d_target) {
  const Tensor each = autograd::with_backward(
      map2(operation, input, target, f),
      [operation, d_input, d_target, wanted_input = input.requires_grad(),
       wanted_target = target.requires_grad(), x = input.detach(),
       t = target.detach()](const Gradient& g, std::span<Gradient> inputs) {
        const Tensor whole = g.dense(x.shape());
        constexpr auto times = [](auto a, auto b) { return a * b; };
        if (wanted_input)
          inputs[0].value = map2(operation, map2(operation, x, t, d_input), whole, times);
        if (wanted_target)
          inputs[1].value = map2(operation, map2(operation, x, t, d_target), whole, times);
      },
      input, target);
  return reduce(each, reduction);
}

/// The sign of v: 0 for 0, NaN for NaN.
constexpr auto sign = [](auto v) {
  using T = decltype(v);
  return v > 0 ? T{1} : v < 0 ? T{-1} : v;
};

/// In f64, for an input of any type.
template <class T, class F>
T in_f64(F f, T x, T t) {
  return static_cast<T>(f(static_cast<double>(x), static_cast<double>(t)));
}

/// Lower limit of p (1 - p) in the derivative of -t log(p) - (1 - t) log(1 - p).
constexpr double kLeastVariance = 1e-12;

double clamped_log(double p) {
  const double l = numerics::log(p);
  return l < -100 ? -100 : l;
}

void check_probabilities(const Tensor& input) {
  const FloatEnvironment environment;
  const Tensor in = input.detach().contiguous();
  dispatch("binary_cross_entropy", in.dtype(), [&]<class T>(T*) {
    for (std::int64_t i = 0; const T p : in.values<T>()) {
      if (p < 0 || p > 1)
        throw ValueError("binary_cross_entropy",
                         fmt::format("input is {} at element {}, expected a probability, 0 to 1; "
                                     "for logits use binary_cross_entropy_with_logits",
                                     p, i));
      ++i;
    }
  });
}

}  // namespace

Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  return pointwise(
      "mse_loss", input, target, reduction, [](auto x, auto t) { return (x - t) * (x - t); },
      [](auto x, auto t) { return 2 * (x - t); }, [](auto x, auto t) { return 2 * (t - x); });
}

Tensor l1_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  return pointwise(
      "l1_loss", input, target, reduction, [](auto x, auto t) { return std::abs(x - t); },
      [](auto x, auto t) { return sign(x - t); }, [](auto x, auto t) { return sign(t - x); });
}

Tensor huber_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  const auto loss = [](auto x, auto t) {
    using T = decltype(x);
    const T distance = std::abs(x - t);
    return distance <= 1 ? distance * distance / 2 : distance - T{0.5};
  };
  const auto slope = [](auto difference) {
    return std::abs(difference) <= 1 ? difference : sign(difference);
  };
  return pointwise(
      "huber_loss", input, target, reduction, loss,
      [slope](auto x, auto t) { return slope(x - t); },
      [slope](auto x, auto t) { return slope(t - x); });
}

Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                        Reduction reduction) {
  const auto loss = [](double x, double t) {
    return (x < 0 ? 0 : x) - x * t + numerics::log1p(numerics::exp(-std::abs(x)));
  };
  const auto derivative = [](double x, double t) { return 1 / (1 + numerics::exp(-x)) - t; };
  return pointwise(
      "binary_cross_entropy_with_logits", logits, target, reduction,
      [loss](auto x, auto t) { return in_f64(loss, x, t); },
      [derivative](auto x, auto t) { return in_f64(derivative, x, t); },
      [](auto x, auto) { return -x; });
}

Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, Reduction reduction) {
  check_probabilities(input);
  const auto loss = [](double p, double t) {
    return (t - 1) * clamped_log(1 - p) - t * clamped_log(p);
  };
  const auto derivative = [](double p, double t) {
    const double variance = (1 - p) * p;
    return (p - t) / (variance < kLeastVariance ? kLeastVariance : variance);
  };
  const auto of_target = [](double p, double) { return clamped_log(1 - p) - clamped_log(p); };
  return pointwise(
      "binary_cross_entropy", input, target, reduction,
      [loss](auto x, auto t) { return in_f64(loss, x, t); },
      [derivative](auto x, auto t) { return in_f64(derivative, x, t); },
      [of_target](auto x, auto t) { return in_f64(of_target, x, t); });
}

}  // namespace unroll::nn
