// Making tensors for tests.
#pragma once

#include <cstdint>
#include <vector>

#include "unroll/io/safetensors.h"
#include "unroll/tensor/tensor.h"

namespace unroll::test {

/// An array of a file as a tensor of the same type (F32, F64 or I64).
Tensor tensor_of(const io::ArrayView& array);

/// Uniform in [low, high), the same numbers for the same seed.
Tensor random_tensor(const Shape& shape, DType dtype, std::uint64_t seed, double low = -1,
                     double high = 1);

/// The bits of all elements, row by row, so that equal means equal: NaN, -0 and all.
std::vector<std::uint64_t> bits_of(const Tensor& tensor);

}  // namespace unroll::test
