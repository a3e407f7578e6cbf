// The linear layer.
#pragma once

#include "unroll/core/api.h"
#include "unroll/core/random.h"
#include "unroll/nn/module.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// y = x W^T + b. x is (..., I), weight (O, I), bias (O) or undefined; y is (..., O).
/// Throws ShapeError, naming both sizes, if they do not fit.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.linear.html
UNROLL_API Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias = {});

struct LinearOptions {
  bool bias = true;
  DType dtype = DType::f32;
  Generator* generator = nullptr;  ///< default_generator() if null
};

/// y = x W^T + b with parameters weight (out_features, in_features) and bias (out_features), both
/// initially uniform in +-1/sqrt(in_features), as in PyTorch.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.Linear.html
class UNROLL_API Linear : public Module {
 public:
  using Options = LinearOptions;
  Linear(std::int64_t in_features, std::int64_t out_features, const Options& options = {});
  Linear(const Child& place, std::int64_t in_features, std::int64_t out_features,
         const Options& options = {});

  Tensor operator()(const Tensor& input) const { return linear(input, weight, bias); }

  Tensor weight, bias;

 private:
  void initialise(std::int64_t in_features, std::int64_t out_features, const Options& options);
};

}  // namespace unroll::nn
