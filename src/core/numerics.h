// Elementary functions of single numbers with the same bits on every machine.
//
// The C library chooses variants at run time (with or without fused multiply-add). So no
// computation that reaches a weight may call it. Square root, division and std::fma are correctly
// rounded by IEEE 754, so they are allowed.
#pragma once

namespace unroll::numerics {

/// Raised when the bits of any computation change; written into every run (docs/numerics.md).
inline constexpr int revision = 5;

// Relative errors are below 4 units in the last place, with two exceptions. sin and cos near a zero
// other than 0 have an error below 1e-31 |x|. The error of pow grows to about 1.2 |y| units for
// whole y, and 1.5 |y log(x)| units for others. NaN gives NaN.
double exp(double x);            ///< e^x
double log(double x);            ///< natural logarithm; -inf at 0, NaN below
double log1p(double x);          ///< log(1 + x), accurate near 0
double symlog(double x);         ///< sign(x) log(1 + |x|)
double tanh(double x);           ///< hyperbolic tangent
double sin(double x);            ///< x in radians, |x| < 1e8
double cos(double x);            ///< x in radians, |x| < 1e8
double pow(double x, double y);  ///< x^y for x >= 0; whole y by repeated squaring

}  // namespace unroll::numerics
