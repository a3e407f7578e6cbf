// Operations on tensors that can be differentiated; what users compose their own models from.
#pragma once

#include "unroll/tensor/tensor.h"

namespace unroll {

// Elementwise, for equal shapes. Throw ShapeError otherwise.
Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, double factor);
Tensor operator*(double factor, const Tensor& a);
Tensor operator-(const Tensor& a);

Tensor relu(const Tensor& x);  ///< max(x, 0), NaN stays NaN; derivative 0 at 0
Tensor tanh(const Tensor& x);
Tensor sigmoid(const Tensor& x);  ///< 1 / (1 + exp(-x))

Tensor sum(const Tensor& x);   ///< of all elements, row by row in f64; shape []
Tensor mean(const Tensor& x);  ///< sum / numel; shape []

/// a b for a of (M, K) and b of (K, N); each element one chain over K.
Tensor matmul(const Tensor& a, const Tensor& b);

/// b behind a in this dimension; in all others, and in type, they agree. Throws ShapeError
/// otherwise. Source: https://pytorch.org/docs/stable/generated/torch.cat.html
Tensor cat(const Tensor& a, const Tensor& b, int dim);

/// exp(x - max) / sum(exp(x - max)) over the last dimension, whose results add up to 1.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html
Tensor softmax(const Tensor& x);

/// log(softmax(x)) over the last dimension: x - max - log(sum(exp(x - max))).
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html
Tensor log_softmax(const Tensor& x);

}  // namespace unroll
