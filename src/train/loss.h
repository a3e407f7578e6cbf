// The loss that training minimises.
#pragma once

#include <cstdint>
#include <string>

#include "train/config.h"
#include "unroll/spec/model_spec.h"
#include "unroll/tensor/tensor.h"

namespace unroll::train {

/// What the loss depends on besides outputs and targets.
struct LossOptions {
  ValueLoss of_values = ValueLoss::mse;
  Tensor std = {};  ///< (C), of the outputs' type: differences of values are divided by it
  Tensor class_weights = {};   ///< (C), of the outputs' type; undefined: all 1. Only for logits
  double label_smoothing = 0;  ///< share of the target for all classes, below 1. Only for logits
};

/// The terms of the loss, without a shape that means anything. Their sum over count_losses() is
/// minimised.
///
/// | kind   | outputs               | targets              | terms                               |
/// | logits | (N, C) or (N, T, C)   | i64, (N) or (N, T)   | cross-entropy times the weight of   |
/// |        |                       |                      | the class; 0 for a target that is   |
/// |        |                       |                      | data::no_target                     |
/// | scores | (N, C)                | i64, (N)             | squared errors against 1 for the    |
/// |        |                       |                      | class and 0 for the others          |
/// | values | (N, C) or (N, T, C)   | the same             | ValueLoss of (output - target) /    |
/// |        |                       |                      | std; 0 for a target that is NaN     |
/// Throws ShapeError, and ValueError for a class outside 0 to C - 1.
Tensor losses_of(spec::Output kind, const Tensor& outputs, const Tensor& targets,
                 const LossOptions& options = {});

/// "cross-entropy", "mean squared error" and so on. That of values which are divided by their
/// standard deviation begins with "scaled".
std::string loss_name(spec::Output kind, ValueLoss of_values = ValueLoss::mse, bool scaled = false);

/// What the sum of the losses of these targets is divided by: the number of targets that are there,
/// or the sum of their classes' weights. `outputs` is C.
double count_losses(spec::Output kind, const Tensor& targets, std::int64_t outputs,
                    const LossOptions& options = {});

}  // namespace unroll::train
