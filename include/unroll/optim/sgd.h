// Stochastic gradient descent.
#pragma once

#include "unroll/core/api.h"
#include "unroll/optim/optimizer.h"

namespace unroll::optim {

struct SgdOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
};

/// g += weight_decay w;  b = momentum b + (1 - dampening) g (b = g the first time);
/// g = g + momentum b with Nesterov, else b;  w -= lr g.
/// Throws ValueError for options outside their range.
/// Source: https://pytorch.org/docs/stable/generated/torch.optim.SGD.html
class UNROLL_API Sgd : public Optimizer {
 public:
  explicit Sgd(const Parameters& parameters, const SgdOptions& options = {})
      : Sgd(ParameterGroups<SgdOptions>{{parameters, options}}) {}
  explicit Sgd(const ParameterGroups<SgdOptions>& groups);

 private:
  void update(std::size_t index, std::size_t begin, std::size_t end) override;
  std::vector<NamedState> named_state() const override;

  std::vector<SgdOptions> options_;
  std::vector<Tensor> momentum_;  // undefined without momentum
};

}  // namespace unroll::optim
