#include "unroll/optim/adam.h"

#include <cmath>
#include <limits>
#include <type_traits>

#include "core/numerics.h"
#include "optim/checks.h"
#include "optim/groups.h"
#include "optim/pieces.h"
#include "tensor/tensor_impl.h"

namespace unroll::optim {
namespace {

ParameterGroups<AdamOptions> adam_groups(const ParameterGroups<AdamWOptions>& groups) {
  ParameterGroups<AdamOptions> same;
  for (const auto& [parameters, o] : groups)
    same.push_back({parameters, {o.lr, o.beta1, o.beta2, o.eps, o.weight_decay, o.amsgrad}});
  return same;
}

}  // namespace

Adam::Adam(const ParameterGroups<AdamOptions>& groups, bool decoupled)
    : Optimizer(parameters_of(checked(decoupled ? "adamw" : "adam", groups))),
      options_(options_of(groups)),
      decoupled_(decoupled),
      mean_(zeros_like_parameters()),
      square_(zeros_like_parameters()),
      largest_square_(zeros_where(groups, &AdamOptions::amsgrad)) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const char* name = decoupled ? "adamw" : "adam";
  for (const auto& [parameters, options] : groups) {
    check_range(name, "lr", options.lr, 0, infinity);
    check_range(name, "beta1", options.beta1, 0, 1);
    check_range(name, "beta2", options.beta2, 0, 1);
    check_range(name, "eps", options.eps, 0, infinity);
    check_range(name, "weight_decay", options.weight_decay, 0, infinity);
  }
}

AdamW::AdamW(const ParameterGroups<AdamWOptions>& groups) : Adam(adam_groups(groups), true) {}

std::vector<Optimizer::NamedState> Adam::named_state() const {
  return {{"exp_avg", &mean_}, {"exp_avg_sq", &square_}, {"max_exp_avg_sq", &largest_square_}};
}

void Adam::update(std::size_t index, std::size_t begin, std::size_t end) {
  const Tensor &value = parameters_[index].value, gradient = value.grad();
  const AdamOptions& options = options_[index];
  const double t = static_cast<double>(steps(index));
  const double lr_now = options.lr * lr_factor_;
  const double correction1 = 1 - numerics::pow(options.beta1, t);
  const double correction2 = 1 - numerics::pow(options.beta2, t);
  dispatch("adam", value.dtype(), [&]<class T>(T*) {
    const auto part = [=](const Tensor& tensor) { return part_of<T>(tensor, begin, end); };
    const auto w = part(value), g = part(gradient);
    const auto m = part(mean_[index]);
    const auto v = part(square_[index]);
    const auto largest = options.amsgrad ? part(largest_square_[index]) : v;
    const T fresh1 = static_cast<T>(1 - options.beta1), keep2 = static_cast<T>(options.beta2),
            fresh2 = static_cast<T>(1 - options.beta2), eps = static_cast<T>(options.eps);
    const T step = static_cast<T>(lr_now / correction1);
    const T root = static_cast<T>(std::sqrt(correction2));
    const T coupled = static_cast<T>(decoupled_ ? 0 : options.weight_decay);
    const T shrink = static_cast<T>(decoupled_ ? 1 - lr_now * options.weight_decay : 1);
    // One loop for each kind: the compiler only vectorises a loop without branches.
    const auto run = [&](auto amsgrad) {
      for (std::size_t i = 0; i < w.size(); ++i) {
        const T old = w[i] * shrink;
        const T d = g[i] + coupled * old;
        m[i] += fresh1 * (d - m[i]);
        v[i] = keep2 * v[i] + fresh2 * (d * d);
        if constexpr (amsgrad) largest[i] = v[i] <= largest[i] ? largest[i] : v[i];
        const T square = amsgrad ? largest[i] : v[i];
        w[i] = old - step * (m[i] / (std::sqrt(square) / root + eps));
      }
    };
    options.amsgrad ? run(std::true_type{}) : run(std::false_type{});
  });
}

}  // namespace unroll::optim
