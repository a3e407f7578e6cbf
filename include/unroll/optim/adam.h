// Adam and AdamW.
#pragma once

#include "unroll/optim/optimizer.h"

namespace unroll::optim {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
};

/// m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
/// w -= lr / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + eps), with weight_decay w added to g
/// first. Throws ValueError for options outside their range. Source: Kingma, Ba 2015;
/// https://pytorch.org/docs/stable/generated/torch.optim.Adam.html
class Adam : public Optimizer {
 public:
  explicit Adam(Parameters parameters, const AdamOptions& options = {})
      : Adam(std::move(parameters), options, false) {}

 protected:
  Adam(Parameters parameters, const AdamOptions& options, bool decoupled);

 private:
  void update(std::size_t index, const Tensor& value, const Tensor& gradient) override;

  AdamOptions options_;
  bool decoupled_;
  std::vector<Tensor> mean_, square_;
  std::vector<std::int64_t> steps_;
};

struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
};

/// Adam with decoupled weight decay: w -= lr weight_decay w before the update.
/// Throws ValueError for options outside their range.
/// Source: Loshchilov, Hutter 2019;
/// https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html
class AdamW : public Adam {
 public:
  explicit AdamW(Parameters parameters, const AdamWOptions& options = {})
      : Adam(std::move(parameters),
             {options.lr, options.beta1, options.beta2, options.eps, options.weight_decay}, true) {}
};

}  // namespace unroll::optim
