// RMSprop.
#pragma once

#include "unroll/core/api.h"
#include "unroll/optim/optimizer.h"

namespace unroll::optim {

struct RmsPropOptions {
  double lr = 1e-2;
  double alpha = 0.99;
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum = 0;
  bool centered = false;
};

/// g += weight_decay w;  v = alpha v + (1 - alpha) g^2;
/// a = alpha a + (1 - alpha) g if centered, else 0;  d = g / (sqrt(v - a^2) + eps);
/// b = momentum b + d with momentum, else d;  w -= lr b.
/// Throws ValueError for options outside their range.
/// Source: Hinton's lecture 6e; Graves 2013;
/// https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
class UNROLL_API RmsProp : public Optimizer {
 public:
  explicit RmsProp(const Parameters& parameters, const RmsPropOptions& options = {})
      : RmsProp(ParameterGroups<RmsPropOptions>{{parameters, options}}) {}
  explicit RmsProp(const ParameterGroups<RmsPropOptions>& groups);

 private:
  void update(std::size_t index, std::size_t begin, std::size_t end) override;
  std::vector<NamedState> named_state() const override;

  std::vector<RmsPropOptions> options_;
  std::vector<Tensor> square_;
  std::vector<Tensor> mean_;      // undefined where not centered
  std::vector<Tensor> momentum_;  // undefined without momentum
};

}  // namespace unroll::optim
