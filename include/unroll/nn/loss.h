// Loss functions.
#pragma once

#include "unroll/core/api.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// How the losses of the samples are combined.
enum class Reduction {
  none,  ///< one loss for each sample
  mean,
  sum,
};

struct CrossEntropyOptions {
  Tensor weight = {};                ///< class weights (C), of the logits' type; ones if undefined
  std::int64_t ignore_index = -100;  ///< samples with this target are ignored
  Reduction reduction = Reduction::mean;
  double label_smoothing = 0;  ///< e in [0, 1]: share of the target for all classes
};

/// -(1 - e) w[t] log(p[t]) - e/C sum_c w[c] log(p[c]) for each row, with p = softmax(logits) and
/// the row's target t.
///
/// logits is (N, C), target is (N) of i64 in [0, C) or ignore_index. The result is [], or [N] with
/// 0 for ignored samples for Reduction::none. The mean is the sum of the losses divided by the sum
/// of w[t], both over the samples that are not ignored. If all are ignored, it is NaN and the
/// gradients are 0. `weight` gets no gradient.
/// Throws ShapeError, and ValueError for a target or a label_smoothing outside its range. Source:
/// https://pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
UNROLL_API Tensor cross_entropy(const Tensor& logits, const Tensor& target,
                                const CrossEntropyOptions& options = {});

// Element-wise losses. They throw ShapeError unless input and target have equal shapes and types.
// The result is [], or the input's shape for Reduction::none. Gradients flow to both.

/// (input - target)^2
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html
UNROLL_API Tensor mse_loss(const Tensor& input, const Tensor& target,
                           Reduction reduction = Reduction::mean);

/// |input - target|, with derivative 0 if they are equal.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.l1_loss.html
UNROLL_API Tensor l1_loss(const Tensor& input, const Tensor& target,
                          Reduction reduction = Reduction::mean);

/// (input - target)^2 / 2 where |input - target| is at most 1, else |input - target| - 1/2.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.huber_loss.html
UNROLL_API Tensor huber_loss(const Tensor& input, const Tensor& target,
                             Reduction reduction = Reduction::mean);

/// -t log(p) - (1 - t) log(1 - p) with p = sigmoid(logit), for a target t in [0, 1]; computed as
/// max(x, 0) - x t + log(1 + exp(-|x|)), which is finite for every finite logit x. Source:
/// https://pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html
UNROLL_API Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                                   Reduction reduction = Reduction::mean);

/// -t log(p) - (1 - t) log(1 - p) for a probability p in [0, 1]. The logarithms are at least
/// -100. Prefer binary_cross_entropy_with_logits(), which stays accurate near 0 and 1. Throws
/// ValueError for a p outside [0, 1]. Source:
/// https://pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy.html
UNROLL_API Tensor binary_cross_entropy(const Tensor& input, const Tensor& target,
                                       Reduction reduction = Reduction::mean);

}  // namespace unroll::nn
