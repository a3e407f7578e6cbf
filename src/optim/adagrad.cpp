#include "unroll/optim/adagrad.h"

#include <cmath>
#include <limits>

#include "optim/checks.h"
#include "optim/groups.h"
#include "optim/pieces.h"
#include "tensor/tensor_impl.h"

namespace unroll::optim {

Adagrad::Adagrad(const ParameterGroups<AdagradOptions>& groups)
    : Optimizer(parameters_of(checked("adagrad", groups))), options_(options_of(groups)) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const auto& [parameters, options] : groups) {
    check_range("adagrad", "lr", options.lr, 0, infinity);
    check_range("adagrad", "lr_decay", options.lr_decay, 0, infinity);
    check_range("adagrad", "weight_decay", options.weight_decay, 0, infinity);
    check_range("adagrad", "initial_accumulator_value", options.initial_accumulator_value, 0,
                infinity);
    check_range("adagrad", "eps", options.eps, 0, infinity);
    for (const Parameter& p : parameters)
      sum_.push_back(
          Tensor::full(p.value.shape(), options.initial_accumulator_value, p.value.dtype()));
  }
}

void Adagrad::update(std::size_t index, std::size_t begin, std::size_t end) {
  const Tensor &value = parameters_[index].value, gradient = value.grad();
  const AdagradOptions& options = options_[index];
  const double age = static_cast<double>(steps(index) - 1);
  const double lr_now = options.lr * lr_factor_ / (1 + age * options.lr_decay);
  dispatch("adagrad", value.dtype(), [&]<class T>(T*) {
    const auto part = [=](const Tensor& tensor) { return part_of<T>(tensor, begin, end); };
    const auto w = part(value), g = part(gradient);
    const auto s = part(sum_[index]);
    const T lr = static_cast<T>(lr_now), decay = static_cast<T>(options.weight_decay),
            eps = static_cast<T>(options.eps);
    for (std::size_t i = 0; i < w.size(); ++i) {
      const T d = g[i] + decay * w[i];
      s[i] += d * d;
      w[i] -= lr * (d / (std::sqrt(s[i]) + eps));
    }
  });
}

}  // namespace unroll::optim
