// The Euclidean norm with fixed bits.
#pragma once

#include "unroll/tensor/tensor.h"

namespace unroll::optim {

/// The sum of squares of a contiguous tensor's elements, in f64. Element i goes to running sum i %
/// 16, and a fixed tree adds the 16 sums. In f64 even squares of the largest f32 do not overflow.
double sum_of_squares(const Tensor& tensor);

}  // namespace unroll::optim
