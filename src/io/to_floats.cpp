// Conversion of a file's arrays: F16, BF16, F32 and F64 to float and double.

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "core/float_environment.h"
#include "core/printable.h"
#include "io/safetensors_header.h"
#include "unroll/core/error.h"

namespace unroll::io {
namespace {

template <typename T>
T load(const std::byte* place) {
  T value;
  std::memcpy(&value, place, sizeof value);  // arrays in a file need not be aligned
  return value;
}

float widen_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

float widen_f16(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000u) << 16;
  const std::uint32_t magnitude = bits & 0x7fffu;
  if (magnitude >= 0x7c00u)  // infinity and NaN keep their payload
    return std::bit_cast<float>(sign | 0x7f800000u | (magnitude << 13));
  if (magnitude < 0x0400u) {  // subnormal: a count of 2^-24
    const float value = static_cast<float>(magnitude) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(value));
  }
  constexpr std::uint32_t bias_difference = 127 - 15;
  return std::bit_cast<float>(sign | ((magnitude << 13) + (bias_difference << 23)));
}

template <typename Out>
void convert(const ArrayView& array, std::span<Out> out) {
  const std::size_t size = size_of(array.type);
  if (array.data.size() != out.size() * size)
    throw ShapeError(safetensors_operation,
                     fmt::format("tensor {} has {} elements, expected {}", in_quotes(array.name),
                                 array.data.size() / size, out.size()));
  const FloatEnvironment environment;
  const std::byte* place = array.data.data();
  switch (array.type) {
    case ElementType::f32:
      for (Out& x : out) x = static_cast<Out>(load<float>(place)), place += size;
      return;
    case ElementType::f64:
      for (Out& x : out) x = static_cast<Out>(load<double>(place)), place += size;
      return;
    case ElementType::f16:
      for (Out& x : out) x = widen_f16(load<std::uint16_t>(place)), place += size;
      return;
    case ElementType::bf16:
      for (Out& x : out) x = widen_bf16(load<std::uint16_t>(place)), place += size;
      return;
    default:
      throw FormatError(
          safetensors_operation,
          fmt::format("tensor {} has element type {}, expected floats; save it as F32 or F64",
                      in_quotes(array.name), name_of(array.type)));
  }
}

}  // namespace

std::size_t count_not_finite(const ArrayView& array) {
  const std::size_t size = size_of(array.type);
  const auto count = [&](auto is_finite) {
    std::size_t found = 0;
    for (std::size_t at = 0; at + size <= array.data.size(); at += size)
      found += !is_finite(array.data.data() + at);
    return found;
  };
  switch (array.type) {
    case ElementType::f32:
      return count([](const std::byte* p) { return std::isfinite(load<float>(p)); });
    case ElementType::f64:
      return count([](const std::byte* p) { return std::isfinite(load<double>(p)); });
    case ElementType::f16:
      return count(
          [](const std::byte* p) { return std::isfinite(widen_f16(load<std::uint16_t>(p))); });
    case ElementType::bf16:
      return count(
          [](const std::byte* p) { return std::isfinite(widen_bf16(load<std::uint16_t>(p))); });
    default:
      return 0;
  }
}

void to_floats(const ArrayView& array, std::span<float> out) { convert(array, out); }
void to_floats(const ArrayView& array, std::span<double> out) { convert(array, out); }

}  // namespace unroll::io
