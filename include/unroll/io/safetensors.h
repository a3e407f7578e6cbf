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

UNROLL_API std::size_t size_of(ElementType type);       ///< bytes per element
UNROLL_API std::string_view name_of(ElementType type);  ///< "F32", ...
UNROLL_API bool is_floating(ElementType type);

/// One array of a file: raw little-endian bytes, row-major, at any alignment. Does not own `data`.
struct ArrayView {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
};

/// Copies the values of a floating-point array to `out`, in file order. F16, BF16 and F32 widen
/// exactly; F64 to float rounds to nearest.
///
/// Throws ShapeError if `out` has another size than the array, FormatError for an array of integers
/// or booleans.
UNROLL_API void to_floats(const ArrayView& array, std::span<float> out);
UNROLL_API void to_floats(const ArrayView& array, std::span<double> out);

/// to_floats() into a new vector. Throws FormatError for integers and booleans.
template <class T>
std::vector<T> floats_of(const ArrayView& array) {
  std::vector<T> values(array.data.size() / size_of(array.type));
  to_floats(array, std::span<T>(values));
  return values;
}

/// Number of NaN or infinite values in a floating-point array; 0 for integers and booleans.
UNROLL_API std::size_t count_not_finite(const ArrayView& array);

struct Header;

/// A safetensors file in memory. It can be moved but not copied, because the arrays point into it.
///
/// Reading checks everything before it allocates memory for the data: header length (at most 32
/// MiB), JSON, UTF-8, duplicate keys, names (at most 1024 bytes), types, shapes (at most 64
/// dimensions), and that the arrays (at most 131,072) cover the data exactly, without overlap or
/// gap.
/// Source: https://github.com/huggingface/safetensors (Format).
class UNROLL_API Safetensors {
 public:
  /// Throws FileError if the file can't be read, FormatError if its content is invalid.
  static Safetensors read(const std::string& path);
  /// Reads the bytes of a file. Errors show `name` as the path. Throws FormatError.
  static Safetensors parse(std::vector<std::byte> bytes, const std::string& name);

  Safetensors(Safetensors&&) noexcept = default;
  Safetensors& operator=(Safetensors&&) noexcept = default;

  const std::vector<ArrayView>& arrays() const { return arrays_; }  ///< in the order of the data
  const ArrayView* find(std::string_view name) const;               ///< nullptr if there is none
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  Safetensors() = default;
  void take(Header header, std::span<const std::byte> data);

  std::vector<std::byte> bytes_;
  std::vector<ArrayView> arrays_;
  std::vector<std::uint32_t> by_name_;  // indices of arrays_, sorted by name
  std::map<std::string, std::string> metadata_;
};

/// Writes a file that the safetensors library reads. The write is atomic: the path holds the old
/// file or the new one.
///
/// The same arrays and metadata always make the same bytes. Arrays keep their order, except that
/// the data of wider element types comes first, so that every array is aligned to its elements.
/// Throws FileError; ValueError for a name or text that a reader would refuse (empty, repeated,
/// "__metadata__", not UTF-8); ShapeError for data that does not fit its shape.
UNROLL_API void write_safetensors(const std::string& path, std::span<const ArrayView> arrays,
                                  const std::map<std::string, std::string>& metadata = {});

/// The bytes that write_safetensors() would write. Throws the same errors, except FileError.
UNROLL_API std::vector<std::byte> safetensors_bytes(
    std::span<const ArrayView> arrays, const std::map<std::string, std::string>& metadata = {});

}  // namespace unroll::io
