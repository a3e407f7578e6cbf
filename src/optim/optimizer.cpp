#include "unroll/optim/optimizer.h"

#include "core/float_environment.h"
#include "unroll/autograd/no_grad.h"

namespace unroll::optim {

void Optimizer::zero_grad() {
  for (auto& p : parameters_) p.value.clear_grad();
}

void Optimizer::step() {
  const NoGrad no_grad;
  const FloatEnvironment environment;
  begin_step();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor gradient = parameters_[i].value.grad();
    if (gradient.defined()) update(i, parameters_[i].value, gradient);
  }
}

std::vector<Tensor> Optimizer::zeros_like_parameters() const {
  std::vector<Tensor> state;
  for (const auto& p : parameters_)
    state.push_back(Tensor::zeros(p.value.shape(), p.value.dtype()));
  return state;
}

}  // namespace unroll::optim
