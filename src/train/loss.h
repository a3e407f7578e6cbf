// What training minimises.
#pragma once

#include "unroll/nn/loss.h"
#include "unroll/spec/model_spec.h"
#include "unroll/tensor/tensor.h"

namespace unroll::train {

/// Cross-entropy of logits: outputs (N, C), targets (N) of i64, or (N, T, C) and (N, T), where the
/// mean leaves out steps with data::no_target. Squared errors of scores against 1 for the class and
/// 0 for the others: outputs (N, C), targets (N) of i64. Squared errors of values: both (N, C).
/// Throws ShapeError, and ValueError for a class outside 0 to C - 1.
Tensor loss_of(spec::Output kind, const Tensor& outputs, const Tensor& targets,
               nn::Reduction reduction = nn::Reduction::mean);

}  // namespace unroll::train
