#include "unroll/optim/sgd.h"

#include <fmt/format.h>

#include <limits>

#include "optim/checks.h"
#include "optim/groups.h"
#include "optim/pieces.h"
#include "tensor/tensor_impl.h"

namespace unroll::optim {

Sgd::Sgd(const ParameterGroups<SgdOptions>& groups)
    : Optimizer(parameters_of(checked("sgd", groups))),
      options_(options_of(groups)),
      momentum_(zeros_where(groups, &SgdOptions::momentum)) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const auto& [parameters, options] : groups) {
    check_range("sgd", "lr", options.lr, 0, infinity);
    check_range("sgd", "momentum", options.momentum, 0, infinity);
    check_range("sgd", "dampening", options.dampening, 0, infinity);
    check_range("sgd", "weight_decay", options.weight_decay, 0, infinity);
    if (options.nesterov && (options.momentum <= 0 || options.dampening != 0))
      throw ValueError("sgd", fmt::format("momentum is {} and dampening {}; nesterov expects a "
                                          "momentum above 0 and no dampening",
                                          options.momentum, options.dampening));
  }
}

std::vector<Optimizer::NamedState> Sgd::named_state() const {
  return {{"momentum_buffer", &momentum_}};
}

void Sgd::update(std::size_t index, std::size_t begin, std::size_t end) {
  const Tensor &value = parameters_[index].value, gradient = value.grad();
  const SgdOptions& options = options_[index];
  const bool first = steps(index) == 1;
  dispatch("sgd", value.dtype(), [&]<class T>(T*) {
    const auto part = [=](const Tensor& tensor) { return part_of<T>(tensor, begin, end); };
    const auto w = part(value), g = part(gradient);
    const T lr = static_cast<T>(options.lr * lr_factor_);
    const T decay = static_cast<T>(options.weight_decay);
    if (options.momentum == 0) {
      for (std::size_t i = 0; i < w.size(); ++i) w[i] -= lr * (g[i] + decay * w[i]);
      return;
    }
    const auto b = part(momentum_[index]);
    const T momentum = static_cast<T>(options.momentum);
    const T fresh = static_cast<T>(1 - options.dampening);
    for (std::size_t i = 0; i < w.size(); ++i) {
      const T d = g[i] + decay * w[i];
      b[i] = first ? d : momentum * b[i] + fresh * d;
      w[i] -= lr * (options.nesterov ? d + momentum * b[i] : b[i]);
    }
  });
}

}  // namespace unroll::optim
