#include "unroll/optim/rmsprop.h"

#include <cmath>
#include <limits>
#include <type_traits>

#include "optim/checks.h"
#include "optim/groups.h"
#include "optim/pieces.h"
#include "tensor/tensor_impl.h"

namespace unroll::optim {

RmsProp::RmsProp(const ParameterGroups<RmsPropOptions>& groups)
    : Optimizer(parameters_of(checked("rmsprop", groups))),
      options_(options_of(groups)),
      square_(zeros_like_parameters()),
      mean_(zeros_where(groups, &RmsPropOptions::centered)),
      momentum_(zeros_where(groups, &RmsPropOptions::momentum)) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const auto& [parameters, options] : groups) {
    check_range("rmsprop", "lr", options.lr, 0, infinity);
    check_range("rmsprop", "alpha", options.alpha, 0, 1);
    check_range("rmsprop", "eps", options.eps, 0, infinity);
    check_range("rmsprop", "weight_decay", options.weight_decay, 0, infinity);
    check_range("rmsprop", "momentum", options.momentum, 0, infinity);
  }
}

std::vector<Optimizer::NamedState> RmsProp::named_state() const {
  return {{"square_avg", &square_}, {"grad_avg", &mean_}, {"momentum_buffer", &momentum_}};
}

void RmsProp::update(std::size_t index, std::size_t begin, std::size_t end) {
  const Tensor &value = parameters_[index].value, gradient = value.grad();
  const RmsPropOptions& options = options_[index];
  dispatch("rmsprop", value.dtype(), [&]<class T>(T*) {
    const auto part = [=](const Tensor& tensor) { return part_of<T>(tensor, begin, end); };
    const auto w = part(value), g = part(gradient);
    const auto v = part(square_[index]);
    const auto a = options.centered ? part(mean_[index]) : std::span<T>();
    const auto b = options.momentum != 0 ? part(momentum_[index]) : std::span<T>();
    const T lr = static_cast<T>(options.lr * lr_factor_);
    const T decay = static_cast<T>(options.weight_decay), eps = static_cast<T>(options.eps);
    const T keep = static_cast<T>(options.alpha), fresh = static_cast<T>(1 - options.alpha);
    const T momentum = static_cast<T>(options.momentum);
    // One loop for each kind: the compiler only vectorises a loop without branches.
    const auto run = [&](auto centered, auto with_momentum) {
      for (std::size_t i = 0; i < w.size(); ++i) {
        const T d = g[i] + decay * w[i];
        v[i] = keep * v[i] + fresh * (d * d);
        T variance = v[i];
        if constexpr (centered) {
          a[i] += fresh * (d - a[i]);
          variance -= a[i] * a[i];
          // If gradients hardly change, rounding can give a value below 0, whose root is NaN.
          variance = variance < 0 ? T{0} : variance;
        }
        T move = d / (std::sqrt(variance) + eps);
        if constexpr (with_momentum) move = b[i] = momentum * b[i] + move;
        w[i] -= lr * move;
      }
    };
    const auto choose = [&](auto centered) {
      options.momentum != 0 ? run(centered, std::true_type{}) : run(centered, std::false_type{});
    };
    options.centered ? choose(std::true_type{}) : choose(std::false_type{});
  });
}

}  // namespace unroll::optim
