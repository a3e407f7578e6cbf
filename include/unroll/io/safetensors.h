// Safetensors files: named arrays of numbers, as PyTorch users exchange them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/core/api.h"

namespace unroll::io {

/// Element types that Unroll reads; names as in the file ("F32", ...).
enum class ElementType { f32, f64, f16, bf16, i64, i32, i16, i8, u8, boolean };

UNROLL_API std::size_t size_of(ElementType type);       ///< bytes an element
UNROLL_API std::string_view name_of(ElementType type);  ///< "F32", ...
UNROLL_API bool is_floating(ElementType type);

/// One array of a file: raw little-endian bytes, row-major, at any alignment. `data` belongs to
/// whoever made it.
struct ArrayView {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
};

/// The values of a floating-point array, in the order of the file; F16, BF16 and F32 widen exactly,
/// F64 into float rounds to nearest.
///
/// Throws ShapeError when `out` has another size than the array, FormatError for an array of
/// integers or booleans.
UNROLL_API void to_floats(const ArrayView& array, std::span<float> out);
UNROLL_API void to_floats(const ArrayView& array, std::span<double> out);

/// The same in a vector of the array's size. Throws FormatError for integers and booleans.
template <class T>
std::vector<T> floats_of(const ArrayView& array) {
  std::vector<T> values(array.data.size() / size_of(array.type));
  to_floats(array, std::span<T>(values));
  return values;
}

/// How many values of a floating-point array are NaN or infinite; 0 for integers and booleans.
UNROLL_API std::size_t count_not_finite(const ArrayView& array);

struct Header;

/// A safetensors file in memory; moves, but does not copy (the arrays point into it).
///
/// Reading checks everything before it allocates for the data: header length (at most 32 MiB),
/// JSON, UTF-8, duplicate keys, names (at most 1024 bytes), types, shapes (at most 64 dimensions),
/// and that the arrays (at most 131,072) cover the data exactly, without overlap or hole.
/// Source: https://github.com/huggingface/safetensors (Format).
class UNROLL_API Safetensors {
 public:
  /// Throws FileError (can't be read) or FormatError (and says what is wrong with it).
  static Safetensors read(const std::string& path);
  /// The same from the bytes of a file; `name` stands for the path in errors. Throws FormatError.
  static Safetensors parse(std::vector<std::byte> bytes, const std::string& name);

  Safetensors(Safetensors&&) noexcept = default;
  Safetensors& operator=(Safetensors&&) noexcept = default;

  const std::vector<ArrayView>& arrays() const { return arrays_; }  ///< in the order of the data
  const ArrayView* find(std::string_view name) const;               ///< nullptr where there is none
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  Safetensors() = default;
  void take(Header header, std::span<const std::byte> data);

  std::vector<std::byte> bytes_;
  std::vector<ArrayView> arrays_;
  std::vector<std::uint32_t> by_name_;  // the arrays' places in the order of their names
  std::map<std::string, std::string> metadata_;
};

/// Writes a file that the safetensors library reads, atomically (the old file or the new one).
///
/// The same arrays and metadata always make the same bytes. Arrays keep their order, except that
/// the data of wider element types comes first, so that every array is aligned to its elements.
/// Throws FileError; ValueError for a name or text that a reader would refuse (empty, repeated,
/// "__metadata__", not UTF-8); ShapeError for data that does not fit its shape.
UNROLL_API void write_safetensors(const std::string& path, std::span<const ArrayView> arrays,
                                  const std::map<std::string, std::string>& metadata = {});

/// The bytes of the same file. Throws what write_safetensors() throws, but FileError.
UNROLL_API std::vector<std::byte> safetensors_bytes(
    std::span<const ArrayView> arrays, const std::map<std::string, std::string>& metadata = {});

}  // namespace unroll::io
