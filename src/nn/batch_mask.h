// Masks for the rows of a batch, or of a part of it.
#pragma once

#include "unroll/nn/mask.h"

namespace unroll::nn {

/// bernoulli_mask() of a shape whose dimension `batch_dim` counts the rows of a batch; -1: none
/// does. In a part of a batch (core/batch_part.h) the rows get the elements that they have in the
/// mask of the whole batch. Throws bernoulli_mask's errors, about the whole mask.
Tensor batch_mask(const Shape& shape, int batch_dim, double keep, const MaskKey& key, DType dtype,
                  double one = 1);

}  // namespace unroll::nn
