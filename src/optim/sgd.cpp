#include "unroll/optim/sgd.h"

#include <limits>

#include "optim/checks.h"
#include "tensor/tensor_impl.h"

namespace unroll::optim {

Sgd::Sgd(Parameters parameters, const SgdOptions& options)
    : Optimizer(std::move(parameters)), options_(options), momentum_(parameters_.size()) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  check_range("sgd", "lr", options.lr, 0, infinity);
  check_range("sgd", "momentum", options.momentum, 0, infinity);
  check_range("sgd", "dampening", options.dampening, 0, infinity);
  check_range("sgd", "weight_decay", options.weight_decay, 0, infinity);
  if (options.nesterov && (options.momentum <= 0 || options.dampening != 0))
    throw ValueError("sgd", "Nesterov's method needs a momentum and no dampening");
}

void Sgd::update(std::size_t index, const Tensor& value, const Tensor& gradient) {
  const bool with_momentum = options_.momentum != 0;
  const bool first = with_momentum && !momentum_[index].defined();
  if (first) momentum_[index] = Tensor::empty(value.shape(), value.dtype());
  dispatch("sgd", value.dtype(), [&]<class T>(T*) {
    const auto w = value.values<T>();
    const auto g = gradient.values<T>();
    const T lr = static_cast<T>(options_.lr * lr_factor_);
    const T decay = static_cast<T>(options_.weight_decay);
    if (!with_momentum) {
      for (std::size_t i = 0; i < w.size(); ++i) w[i] -= lr * (g[i] + decay * w[i]);
      return;
    }
    const auto b = momentum_[index].values<T>();
    const T momentum = static_cast<T>(options_.momentum);
    const T fresh = static_cast<T>(1 - options_.dampening);
    for (std::size_t i = 0; i < w.size(); ++i) {
      const T d = g[i] + decay * w[i];
      b[i] = first ? d : momentum * b[i] + fresh * d;
      w[i] -= lr * (options_.nesterov ? d + momentum * b[i] : b[i]);
    }
  });
}

}  // namespace unroll::optim
