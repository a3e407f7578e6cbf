// Operations on tensors that can be differentiated; what users compose their own models from.
#pragma once

#include "unroll/core/api.h"
#include "unroll/tensor/tensor.h"

namespace unroll {

// Elementwise, for equal shapes. Throw ShapeError otherwise.
UNROLL_API Tensor operator+(const Tensor& a, const Tensor& b);
UNROLL_API Tensor operator-(const Tensor& a, const Tensor& b);
UNROLL_API Tensor operator*(const Tensor& a, const Tensor& b);
UNROLL_API Tensor operator*(const Tensor& a, double factor);
UNROLL_API Tensor operator*(double factor, const Tensor& a);
UNROLL_API Tensor operator-(const Tensor& a);

UNROLL_API Tensor relu(const Tensor& x);  ///< max(x, 0), NaN stays NaN; derivative 0 at 0
UNROLL_API Tensor tanh(const Tensor& x);
UNROLL_API Tensor sigmoid(const Tensor& x);  ///< 1 / (1 + exp(-x))

UNROLL_API Tensor sum(const Tensor& x);   ///< of all elements, row by row in f64; shape []
UNROLL_API Tensor mean(const Tensor& x);  ///< sum / numel; shape []

/// a b for a of (M, K) and b of (K, N); each element one chain over K.
UNROLL_API Tensor matmul(const Tensor& a, const Tensor& b);

/// b behind a in this dimension; in all others, and in type, they agree. Throws ShapeError
/// otherwise. Source: https://pytorch.org/docs/stable/generated/torch.cat.html
UNROLL_API Tensor cat(const Tensor& a, const Tensor& b, int dim);

/// exp(x - max) / sum(exp(x - max)) over the last dimension, whose results add up to 1.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html
UNROLL_API Tensor softmax(const Tensor& x);

/// log(softmax(x)) over the last dimension: x - max - log(sum(exp(x - max))).
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html
UNROLL_API Tensor log_softmax(const Tensor& x);

}  // namespace unroll
