// Gradient clipping.
#pragma once

#include "unroll/autograd/parameter.h"
#include "unroll/core/api.h"

namespace unroll::optim {

/// The Euclidean norm of all gradients together. Absent gradients count as 0.
UNROLL_API double grad_norm(const Parameters& parameters);

/// Scales all gradients by max_norm / (norm + 1e-6) if that is below 1. Returns the norm before
/// scaling.
/// Throws ValueError unless max_norm > 0, and for an empty list.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
UNROLL_API double clip_grad_norm(const Parameters& parameters, double max_norm);

}  // namespace unroll::optim
