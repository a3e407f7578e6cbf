// Differentiable operations on the rows (sequences) of a batch.
#pragma once

#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// Row n of dimension `dim` is row order[n] of x's; x of rank 2 or 3, `dim` not the last; `order` a
/// permutation, i64 (N).
Tensor permute_rows(const Tensor& x, int dim, const Tensor& order);

/// The permutation that undoes `order`.
Tensor inverse_of(const Tensor& order);

/// (R, 1, J) to (R, N, J), the same row for every sequence; its gradient is the sum, first to last.
Tensor expand_batch(const Tensor& x, std::int64_t batch);

}  // namespace unroll::nn
