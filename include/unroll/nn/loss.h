// Loss functions.
#pragma once

#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// How the losses of the samples become the result.
enum class Reduction {
  none,  ///< one each
  mean,
  sum,
};

/// -log(softmax(logits)[target]) of each row; logits (N, C), target (N) of i64 in [0, C).
/// Result [] or, for Reduction::none, [N]. Throws ShapeError, and ValueError for a target outside
/// its range. Source:
/// https://pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
Tensor cross_entropy(const Tensor& logits, const Tensor& target,
                     Reduction reduction = Reduction::mean);

/// (input - target)^2 of each element; equal shapes. Result [] or the inputs' shape.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html
Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean);

}  // namespace unroll::nn
