// Adagrad.
#pragma once

#include "unroll/core/api.h"
#include "unroll/optim/optimizer.h"

namespace unroll::optim {

struct AdagradOptions {
  double lr = 1e-2;
  double lr_decay = 0;
  double weight_decay = 0;
  double initial_accumulator_value = 0;
  double eps = 1e-10;
};

/// g += weight_decay w;  s += g^2 (s starts from initial_accumulator_value);
/// w -= lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps), where t counts the parameter's updates
/// from 1.
/// Throws ValueError for options outside their range. Source: Duchi, Hazan, Singer 2011;
/// https://pytorch.org/docs/stable/generated/torch.optim.Adagrad.html
class UNROLL_API Adagrad : public Optimizer {
 public:
  explicit Adagrad(const Parameters& parameters, const AdagradOptions& options = {})
      : Adagrad(ParameterGroups<AdagradOptions>{{parameters, options}}) {}
  explicit Adagrad(const ParameterGroups<AdagradOptions>& groups);

 private:
  void update(std::size_t index, std::size_t begin, std::size_t end) override;
  std::vector<NamedState> named_state() const override { return {{"sum", &sum_}}; }

  std::vector<AdagradOptions> options_;
  std::vector<Tensor> sum_;
};

}  // namespace unroll::optim
