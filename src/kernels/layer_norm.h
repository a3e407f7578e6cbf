// Layer normalisation of one row, for training and inference.
#pragma once

#include <cmath>
#include <cstddef>

namespace unroll::kernels {

/// The statistics of a normalised row.
template <class T>
struct NormalisedRow {
  T mean, scale;  // scale = 1 / sqrt(variance + eps)
};

/// y = (x - mean) scale weight + bias, for `size` numbers. weight and bias may be null, and y may
/// be x. The sums are in f64, in the order of the numbers.
template <class T>
NormalisedRow<T> normalise_row(const T* x, std::size_t size, double eps, const T* weight,
                               const T* bias, T* y) noexcept {
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < size; ++i) sum += static_cast<double>(x[i]);
  const double mean = sum / static_cast<double>(size);
  for (std::size_t i = 0; i < size; ++i) {
    const double centred = static_cast<double>(x[i]) - mean;
    squares += centred * centred;
  }
  const T shift = static_cast<T>(mean);
  const T scale = static_cast<T>(1 / std::sqrt(squares / static_cast<double>(size) + eps));
  for (std::size_t i = 0; i < size; ++i) {
    const T z = (x[i] - shift) * scale;
    const T weighed = weight ? z * weight[i] : z;
    y[i] = bias ? weighed + bias[i] : weighed;
  }
  return {shift, scale};
}

}  // namespace unroll::kernels
