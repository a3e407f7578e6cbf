// Plain operations on tensors: results without a gradient.
#pragma once

#include <cstdint>

#include "unroll/core/api.h"
#include "unroll/tensor/tensor.h"

namespace unroll {

/// Where along a dimension the largest element is, the first of equals; i64, without that
/// dimension. Throws ShapeError for a dimension without elements. Source:
/// https://pytorch.org/docs/stable/generated/torch.argmax.html
UNROLL_API Tensor argmax(const Tensor& x, int dim);

/// How many elements are equal, one by one; equal shapes and types.
UNROLL_API std::int64_t count_equal(const Tensor& a, const Tensor& b);

}  // namespace unroll
