// Loss functions.
#pragma once

#include "unroll/core/api.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// How the losses of the samples become the result.
enum class Reduction {
  none,  ///< one each
  mean,
  sum,
};

struct CrossEntropyOptions {
  Tensor weight = {};  ///< of each class, (C), of the logits' type; ones where undefined
  std::int64_t ignore_index = -100;  ///< samples with this target count for nothing
  Reduction reduction = Reduction::mean;
  double label_smoothing = 0;  ///< e in [0, 1]: how much of the target goes to all classes
};

/// -(1 - e) w[t] log(p[t]) - e/C sum_c w[c] log(p[c]) of each row, with p = softmax(logits) and the
/// row's target t.
///
/// logits (N, C), target (N) of i64 in [0, C), or ignore_index. Result [] or, for Reduction::none,
/// [N] with 0 for what is ignored. The mean is the sum over that of w[t] of the samples that are
/// not ignored; NaN, with gradients of 0, where all are. `weight` gets no gradient.
/// Throws ShapeError, and ValueError for a target or a label_smoothing outside its range. Source:
/// https://pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
UNROLL_API Tensor cross_entropy(const Tensor& logits, const Tensor& target,
                                const CrossEntropyOptions& options = {});

// The following are of each element; input and target have equal shapes and types (ShapeError
// otherwise). Result [] or, for Reduction::none, their shape. Gradients flow to both.

/// (input - target)^2
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html
UNROLL_API Tensor mse_loss(const Tensor& input, const Tensor& target,
                           Reduction reduction = Reduction::mean);

/// |input - target|, with derivative 0 where they are equal.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.l1_loss.html
UNROLL_API Tensor l1_loss(const Tensor& input, const Tensor& target,
                          Reduction reduction = Reduction::mean);

/// -t log(p) - (1 - t) log(1 - p) with p = sigmoid(logit), for a target t in [0, 1]; computed as
/// max(x, 0) - x t + log(1 + exp(-|x|)), which is finite for every finite logit x. Source:
/// https://pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html
UNROLL_API Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                                   Reduction reduction = Reduction::mean);

/// -t log(p) - (1 - t) log(1 - p) for a probability p in [0, 1], logarithms no less than -100.
/// Prefer the one of logits, which loses nothing near 0 and 1. Throws ValueError for a p outside
/// its range. Source:
/// https://pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy.html
UNROLL_API Tensor binary_cross_entropy(const Tensor& input, const Tensor& target,
                                       Reduction reduction = Reduction::mean);

}  // namespace unroll::nn
