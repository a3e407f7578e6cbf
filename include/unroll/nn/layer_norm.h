// Layer normalisation.
#pragma once

#include "unroll/core/api.h"
#include "unroll/nn/module.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// y = (x - mean) / sqrt(var + eps) * weight + bias (Ba 2016). Mean and variance are taken over the
/// last dimensions, `normalized_shape`. The variance is the sum of squares divided by the count.
///
/// x is (..., *normalized_shape); weight and bias have normalized_shape or are undefined (1 and 0).
/// The sums are in f64. Throws ShapeError, and ValueError unless eps >= 0.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html
UNROLL_API Tensor layer_norm(const Tensor& input, const Shape& normalized_shape,
                             const Tensor& weight = {}, const Tensor& bias = {}, double eps = 1e-5);

struct LayerNormOptions {
  double eps = 1e-5;
  bool elementwise_affine = true;  ///< has a weight and, unless `bias` is false, a bias
  bool bias = true;
  DType dtype = DType::f32;
};

/// layer_norm() with parameters weight, initially 1, and bias, initially 0, of normalized_shape.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
class UNROLL_API LayerNorm : public Module {
 public:
  using Options = LayerNormOptions;
  /// Throws ValueError for a shape without dimensions or with a size below 1, and unless eps >= 0.
  explicit LayerNorm(const Shape& normalized_shape, const Options& options = {});
  LayerNorm(const Child& place, const Shape& normalized_shape, const Options& options = {});

  Tensor operator()(const Tensor& input) const {
    return layer_norm(input, normalized_shape_, weight, bias, eps_);
  }

  Tensor weight, bias;

 private:
  void initialise(const Options& options);

  Shape normalized_shape_;
  double eps_;
};

}  // namespace unroll::nn
