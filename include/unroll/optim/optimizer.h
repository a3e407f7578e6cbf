// What all optimizers have in common.
#pragma once

#include <vector>

#include "unroll/autograd/parameter.h"

namespace unroll::optim {

/// Changes parameters by their gradients. A parameter without a gradient is left as it is.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Forgets the gradients of all parameters (they are absent then, not zero).
  virtual void zero_grad();
  /// One update from the gradients there are.
  void step();
  /// A factor on every learning rate of the optimizer: what schedules drive. 1 at first.
  void set_lr_factor(double factor) { lr_factor_ = factor; }
  double lr_factor() const { return lr_factor_; }

 protected:
  explicit Optimizer(Parameters parameters) : parameters_(std::move(parameters)) {}

  /// State that one parameter needs, zeros of its shape; one for each in `parameters_`.
  std::vector<Tensor> zeros_like_parameters() const;

  Parameters parameters_;
  double lr_factor_ = 1;

 private:
  virtual void begin_step() {}
  virtual void update(std::size_t index, const Tensor& value, const Tensor& gradient) = 0;
};

}  // namespace unroll::optim
