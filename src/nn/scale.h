// Scaling of an input, for training.
#pragma once

#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// y = (x - mean) / std, feature by feature. x is (..., F), mean and std are (F) of x's type and
/// get no gradient. Throws ShapeError.
Tensor scale(const Tensor& x, const Tensor& mean, const Tensor& std);

}  // namespace unroll::nn
