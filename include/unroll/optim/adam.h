// Adam and AdamW.
#pragma once

#include "unroll/core/api.h"
#include "unroll/optim/optimizer.h"

namespace unroll::optim {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  bool amsgrad = false;
};

/// m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
/// w -= lr / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + eps), with weight_decay w added to g
/// first. With amsgrad, v in the last line is the largest of all steps' v (Reddi, Kale, Kumar
/// 2018). Throws ValueError for options outside their range. Source: Kingma, Ba 2015;
/// https://pytorch.org/docs/stable/generated/torch.optim.Adam.html
class UNROLL_API Adam : public Optimizer {
 public:
  explicit Adam(const Parameters& parameters, const AdamOptions& options = {})
      : Adam(ParameterGroups<AdamOptions>{{parameters, options}}) {}
  explicit Adam(const ParameterGroups<AdamOptions>& groups) : Adam(groups, false) {}

 protected:
  Adam(const ParameterGroups<AdamOptions>& groups, bool decoupled);

 private:
  void update(std::size_t index, std::size_t begin, std::size_t end) override;
  std::vector<NamedState> named_state() const override;

  std::vector<AdamOptions> options_;
  bool decoupled_;
  std::vector<Tensor> mean_, square_;
  std::vector<Tensor> largest_square_;  // undefined without amsgrad
};

struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
  bool amsgrad = false;
};

/// Adam with decoupled weight decay: w -= lr weight_decay w before the update.
/// Throws ValueError for options outside their range.
/// Source: Loshchilov, Hutter 2019;
/// https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html
class UNROLL_API AdamW : public Adam {
 public:
  explicit AdamW(const Parameters& parameters, const AdamWOptions& options = {})
      : AdamW(ParameterGroups<AdamWOptions>{{parameters, options}}) {}
  explicit AdamW(const ParameterGroups<AdamWOptions>& groups);
};

}  // namespace unroll::optim
