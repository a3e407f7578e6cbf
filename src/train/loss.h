// The loss that training minimises.
#pragma once

#include <cstdint>
#include <string_view>

#include "unroll/spec/model_spec.h"
#include "unroll/tensor/tensor.h"

namespace unroll::train {

/// The terms of the loss, without a shape that means anything. Their mean is minimised.
///
/// | kind   | outputs               | targets              | terms                               |
/// | logits | (N, C) or (N, T, C)   | i64, (N) or (N, T)   | cross-entropy; 0 for steps whose    |
/// |        |                       |                      | target is data::no_target           |
/// | scores | (N, C)                | i64, (N)             | squared errors against 1 for the    |
/// |        |                       |                      | class and 0 for the others          |
/// | values | (N, C)                | (N, C)               | squared errors                      |
/// Throws ShapeError, and ValueError for a class outside 0 to C - 1.
Tensor losses_of(spec::Output kind, const Tensor& outputs, const Tensor& targets);

/// "cross-entropy" or "mean squared error".
std::string_view loss_name(spec::Output kind);

/// The number of terms in the mean loss of these targets, for a model with so many outputs. Steps
/// without a target have none.
std::int64_t count_losses(spec::Output kind, const Tensor& targets, std::int64_t outputs);

}  // namespace unroll::train
