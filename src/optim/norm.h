// The Euclidean norm with fixed bits.
#pragma once

#include "unroll/tensor/tensor.h"

namespace unroll::optim {

/// The sum of the squares of a contiguous tensor's elements, in f64: sixteen running sums, element
/// i going to sum i % 16, added in a fixed tree. Square it in f64 and even f32's largest fit.
double sum_of_squares(const Tensor& tensor);

}  // namespace unroll::optim
