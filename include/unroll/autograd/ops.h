// Differentiable operations on tensors: the building blocks of users' models.
#pragma once

#include "unroll/core/api.h"
#include "unroll/tensor/tensor.h"

namespace unroll {

// Element-wise operations. They throw ShapeError unless the shapes are equal.
UNROLL_API Tensor operator+(const Tensor& a, const Tensor& b);
UNROLL_API Tensor operator-(const Tensor& a, const Tensor& b);
UNROLL_API Tensor operator*(const Tensor& a, const Tensor& b);
UNROLL_API Tensor operator*(const Tensor& a, double factor);
UNROLL_API Tensor operator*(double factor, const Tensor& a);
UNROLL_API Tensor operator-(const Tensor& a);

UNROLL_API Tensor relu(const Tensor& x);  ///< max(x, 0), NaN stays NaN; derivative 0 at 0
UNROLL_API Tensor tanh(const Tensor& x);
UNROLL_API Tensor sigmoid(const Tensor& x);  ///< 1 / (1 + exp(-x))
/// sign(x) log(1 + |x|): the logarithm, for numbers of both signs. Computed in f64 and rounded.
UNROLL_API Tensor symlog(const Tensor& x);

UNROLL_API Tensor sum(const Tensor& x);   ///< sum of all elements, in f64 within a shard; shape []
UNROLL_API Tensor mean(const Tensor& x);  ///< sum / numel; shape []

/// The product a b: a is (M, K), b is (K, N). Each element is one sum over K, in order.
UNROLL_API Tensor matmul(const Tensor& a, const Tensor& b);

/// Appends b to a along `dim`. Throws ShapeError unless types and all other sizes agree. Source:
/// https://pytorch.org/docs/stable/generated/torch.cat.html
UNROLL_API Tensor cat(const Tensor& a, const Tensor& b, int dim);

/// exp(x - max) / sum(exp(x - max)) over the last dimension. The results add up to 1.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html
UNROLL_API Tensor softmax(const Tensor& x);

/// log(softmax(x)) over the last dimension: x - max - log(sum(exp(x - max))).
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html
UNROLL_API Tensor log_softmax(const Tensor& x);

}  // namespace unroll
