// The loss that training minimises.
#pragma once

#include "unroll/nn/loss.h"
#include "unroll/spec/model_spec.h"
#include "unroll/tensor/tensor.h"

namespace unroll::train {

/// | kind   | outputs               | targets              | loss                                |
/// | logits | (N, C) or (N, T, C)   | i64, (N) or (N, T)   | cross-entropy, without steps whose  |
/// |        |                       |                      | target is data::no_target           |
/// | scores | (N, C)                | i64, (N)             | squared errors against 1 for the    |
/// |        |                       |                      | class and 0 for the others          |
/// | values | (N, C)                | (N, C)               | squared errors                      |
/// Throws ShapeError, and ValueError for a class outside 0 to C - 1.
Tensor loss_of(spec::Output kind, const Tensor& outputs, const Tensor& targets,
               nn::Reduction reduction = nn::Reduction::mean);

}  // namespace unroll::train
