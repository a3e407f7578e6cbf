#include "export/int8.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "unroll/core/error.h"

namespace unroll::exporter {

Int8Matrix to_int8(std::span<const float> matrix, std::size_t rows) {
  constexpr float kMost = 127;
  const std::size_t columns = matrix.size() / rows;
  Int8Matrix result;
  for (std::size_t row = 0; row < rows; ++row) {
    const auto weights = matrix.subspan(row * columns, columns);
    float largest = 0;
    for (const float w : weights) largest = std::max(largest, std::abs(w));
    const float scale = largest / kMost;
    result.scales.push_back(scale);
    for (const float w : weights) {
      // A row of zeros has scale 0, and so has a row of tiny numbers: its values are 0.
      const float value = scale > 0 ? std::nearbyint(w / scale) : 0;
      result.values.push_back(static_cast<std::int8_t>(std::clamp(value, -kMost, kMost)));
    }
  }
  return result;
}

bool is_in_int8(const io::ArrayView& array) {
  const std::size_t rank = array.shape.size();  // 3: of a convolution over steps, or a state
  return rank == 2 || (rank == 3 && array.name.ends_with(".weight"));
}

std::vector<float> finite_floats(const io::ArrayView& array) {
  auto values = io::floats_of<float>(array);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw FormatError(
          "export", fmt::format("{}: element {} is {} in f32, expected a finite number", array.name,
                                i, values[i]));
  return values;
}

Int8Weights::Int8Weights(std::span<const io::ArrayView> weights) {
  for (const io::ArrayView& array : weights) {
    auto& values = values_.emplace_back(finite_floats(array));
    if (is_in_int8(array) && !values.empty()) {
      const auto rows = static_cast<std::size_t>(array.shape[0]);
      const Int8Matrix rounded = to_int8(values, rows);
      for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = rounded.scales[i / (values.size() / rows)] * rounded.values[i];
    }
    arrays_.push_back(
        {array.name, io::ElementType::f32, array.shape, std::as_bytes(std::span(values))});
  }
}

}  // namespace unroll::exporter
