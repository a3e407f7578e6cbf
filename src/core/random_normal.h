// Normal numbers from uniform ones, sixteen at a time, as in PyTorch on a CPU.
#pragma once

#include <span>

namespace unroll {

/// Box-Muller on one block: out[j] and out[j+8], uniform in [0, 1), become
///   r cos t and r sin t, r = sqrt(-2 log(1 - out[j])), t = 2 pi out[j+8],   times std plus mean.
/// In f32 with PyTorch's polynomials (the single-precision ones of Cephes, in the form of AVX2), to
/// the bit; in f64 with Unroll's own functions.
void normal_from_uniform(std::span<float, 16> block, float mean, float std);
void normal_from_uniform(std::span<double, 16> block, double mean, double std);

}  // namespace unroll
