// Element-wise passes over rows of matrices, and layer normalisation of rows.
#pragma once

#include <cstddef>
#include <limits>

namespace unroll::kernels {

/// A matrix whose columns are adjacent.
template <class T>
struct Matrix {
  T* data = nullptr;
  std::ptrdiff_t row = 0;

  T* at(std::size_t n) const { return data + static_cast<std::ptrdiff_t>(n) * row; }
  T* at_or_null(std::size_t n) const { return data ? at(n) : nullptr; }
};

/// The columns begin .. end - 1.
struct Columns {
  std::size_t begin, end;

  std::size_t count() const { return end - begin; }
};

struct Extent {
  std::size_t rows, columns;
};

/// The share of the old state that stays: one number for each element, or one for all.
template <class T>
struct Zone {
  Matrix<const T> mask;
  T rate = 0;
};

/// Layer normalisation of the input's and the state's part of the sums (kernels/recurrent_layout.h,
/// Sums): xhat = (x - mean) / sqrt(variance + 1e-5) over all gates, then weight and bias. The
/// cell's row gets the sum of both parts.
template <class T>
struct NormalisedSums {
  std::size_t rows = 0;
  std::size_t gates = 0, joint = 0;  // columns
  Matrix<T> z;                       // [input's part | state's part | cell's row]
  const T *input_weight = nullptr, *input_bias = nullptr;  // (gates)
  const T *state_weight = nullptr, *state_bias = nullptr;
  Matrix<T> statistics;  // for each row: 1 / deviation of both parts
  // Backward adds to these: weights of both parts, then biases of both, (gates) each.
  T* gradients = nullptr;
};

/// Gradients below this become 0 (RowKernels::flush_tiny), so that products with weights from 2^-30
/// on are normal numbers. States too, with RecurrentShape::flush_states.
template <class T>
inline constexpr T kTiny = std::numeric_limits<T>::min() * (1 << 30);

template <class T>
struct RowKernels {
  /// out = a b
  void (*multiply)(Extent, Matrix<T> out, Matrix<const T> a, Matrix<const T> b) noexcept;
  /// out = out + a
  void (*add)(Extent, Matrix<T> out, Matrix<const T> a) noexcept;
  /// out = out + a b
  void (*multiply_add)(Extent, Matrix<T> out, Matrix<const T> a, Matrix<const T> b) noexcept;
  /// state = zone before + (1 - zone) state; a null before.data means zeros.
  void (*keep_zone)(Extent, Matrix<T> state, Matrix<const T> before, Zone<T>) noexcept;
  /// kept = zone grad, grad = (1 - zone) grad
  void (*split_zone)(Extent, Matrix<T> grad, Matrix<T> kept, Zone<T>) noexcept;
  /// x = |x| < kTiny ? 0 : x. A gradient that vanishes back in time would become subnormal and stay
  /// so. Many CPUs are a hundred times slower with subnormal numbers.
  void (*flush_tiny)(Extent, Matrix<T> x) noexcept;
  /// Replaces both parts by xhat and fills the cell's row.
  void (*normalise)(const NormalisedSums<T>&) noexcept;
  /// Replaces xhat by the gradients of both parts, from the gradients in the cell's row.
  void (*normalise_backward)(const NormalisedSums<T>&) noexcept;
};

}  // namespace unroll::kernels
