// Plain operations on tensors: results without a gradient.
#pragma once

#include <cstdint>

#include "unroll/core/api.h"
#include "unroll/tensor/tensor.h"

namespace unroll {

/// Index of the largest element along `dim`, the first of equal ones. The result is i64 and has x's
/// shape without `dim`. Throws ShapeError for a dimension without elements. Source:
/// https://pytorch.org/docs/stable/generated/torch.argmax.html
UNROLL_API Tensor argmax(const Tensor& x, int dim);

/// Number of positions where a and b are equal. Throws ShapeError unless shapes and types are
/// equal.
UNROLL_API std::int64_t count_equal(const Tensor& a, const Tensor& b);

}  // namespace unroll
