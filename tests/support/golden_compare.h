// Comparing numbers with those of PyTorch.
#pragma once

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

#include "unroll/io/safetensors.h"

namespace unroll::test {

/// What another summation order may change, with a margin: f64 and f32 of the reference cases.
inline constexpr double tolerance_f64 = 1e-12;
inline constexpr double tolerance_f32 = 5e-6;

/// max|got - expected| <= tolerance * max|expected|; a value that is not finite fails,
/// as do different sizes.
::testing::AssertionResult is_close(std::span<const double> got, std::span<const double> expected,
                                    double tolerance);
::testing::AssertionResult is_close(std::span<const float> got, std::span<const double> expected,
                                    double tolerance);

/// Every bit of `got` is that of the array, which has the same element type.
::testing::AssertionResult has_bits_of(std::span<const std::byte> got,
                                       const io::ArrayView& expected);

/// The values of an array of any element type.
std::vector<double> values_of(const io::ArrayView& array);

}  // namespace unroll::test
