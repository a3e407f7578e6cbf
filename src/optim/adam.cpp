#include "unroll/optim/adam.h"

#include <cmath>
#include <limits>

#include "core/numerics.h"
#include "optim/checks.h"
#include "tensor/tensor_impl.h"

namespace unroll::optim {

Adam::Adam(Parameters parameters, const AdamOptions& options, bool decoupled)
    : Optimizer(std::move(parameters)),
      options_(options),
      decoupled_(decoupled),
      mean_(zeros_like_parameters()),
      square_(zeros_like_parameters()),
      steps_(parameters_.size(), 0) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const char* name = decoupled ? "adamw" : "adam";
  check_range(name, "lr", options.lr, 0, infinity);
  check_range(name, "beta1", options.beta1, 0, 1);
  check_range(name, "beta2", options.beta2, 0, 1);
  check_range(name, "eps", options.eps, 0, infinity);
  check_range(name, "weight_decay", options.weight_decay, 0, infinity);
}

void Adam::update(std::size_t index, const Tensor& value, const Tensor& gradient) {
  const double t = static_cast<double>(++steps_[index]);
  const double lr_now = options_.lr * lr_factor_;
  const double correction1 = 1 - numerics::pow(options_.beta1, t);
  const double correction2 = 1 - numerics::pow(options_.beta2, t);
  dispatch("adam", value.dtype(), [&]<class T>(T*) {
    const auto w = value.values<T>();
    const auto g = gradient.values<T>();
    const auto m = mean_[index].values<T>();
    const auto v = square_[index].values<T>();
    const T fresh1 = static_cast<T>(1 - options_.beta1), keep2 = static_cast<T>(options_.beta2),
            fresh2 = static_cast<T>(1 - options_.beta2), eps = static_cast<T>(options_.eps);
    const T step = static_cast<T>(lr_now / correction1);
    const T root = static_cast<T>(std::sqrt(correction2));
    const T coupled = static_cast<T>(decoupled_ ? 0 : options_.weight_decay);
    const T shrink = static_cast<T>(decoupled_ ? 1 - lr_now * options_.weight_decay : 1);
    for (std::size_t i = 0; i < w.size(); ++i) {
      const T old = w[i] * shrink;
      const T d = g[i] + coupled * old;
      m[i] += fresh1 * (d - m[i]);
      v[i] = keep2 * v[i] + fresh2 * (d * d);
      w[i] = old - step * (m[i] / (std::sqrt(v[i]) / root + eps));
    }
  });
}

}  // namespace unroll::optim
