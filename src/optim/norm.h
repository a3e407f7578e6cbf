// The Euclidean norm with fixed bits.
#pragma once

#include <span>

namespace unroll::optim {

/// The sum of squares, in f64. The elements are cut in pieces (Pieces::size), whose sums are added
/// in order. In a piece element i goes to running sum i % 16, and a fixed tree adds the 16 sums. In
/// f64 even squares of the largest f32 do not overflow.
template <class T>
double sum_of_squares(std::span<const T> x);

}  // namespace unroll::optim
