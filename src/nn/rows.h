// Differentiable operations on the rows (sequences) of a batch.
#pragma once

#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// Permutes dimension `dim`: row n of the result is row order[n] of x. x has rank 2 or 3, `dim` is
/// not the last, and `order` is a permutation, i64 (N).
Tensor permute_rows(const Tensor& x, int dim, const Tensor& order);

/// The permutation that undoes `order`.
Tensor inverse_of(const Tensor& order);

/// From (R, 1, J) to (R, N, J): every sequence gets the same row. The gradient is the sum over the
/// sequences, shard by shard.
Tensor expand_batch(const Tensor& x, std::int64_t batch);

}  // namespace unroll::nn
