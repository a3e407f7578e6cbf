// Weights in 8 bits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "unroll/io/safetensors.h"

namespace unroll::exporter {

/// A matrix (rows, columns) of integers from -127 to 127, with one scale for each row.
struct Int8Matrix {
  std::vector<std::int8_t> values;
  std::vector<float> scales;
};

/// scale = the row's largest |w| / 127; value = w / scale, rounded to nearest. The weights must be
/// finite, and their number a multiple of `rows`.
Int8Matrix to_int8(std::span<const float> matrix, std::size_t rows);

/// Whether an array is stored in 8 bits. Matrices and weights of convolutions over steps are;
/// biases, norms and initial states stay floats.
bool is_in_int8(const io::ArrayView& array);

/// A model's weights in f32, with matrices rounded as to_int8 does. This is the model that an
/// export in 8 bits runs.
class Int8Weights {
 public:
  /// Throws FormatError for a weight that is not finite.
  explicit Int8Weights(std::span<const io::ArrayView> weights);
  Int8Weights(const Int8Weights&) = delete;
  Int8Weights& operator=(const Int8Weights&) = delete;

  std::span<const io::ArrayView> arrays() const { return arrays_; }

 private:
  std::vector<std::vector<float>> values_;
  std::vector<io::ArrayView> arrays_;
};

/// An array's values in f32. Throws FormatError if one is not finite, or too large for f32.
std::vector<float> finite_floats(const io::ArrayView& array);

}  // namespace unroll::exporter
