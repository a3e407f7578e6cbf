// NumPy's .npy files, for exchanging arrays with other tools.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "unroll/core/api.h"
#include "unroll/io/safetensors.h"

namespace unroll::io {

/// An array read from a file; `type` is f32 or f64, `data` row-major.
struct NpyArray {
  ElementType type = ElementType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> data;

  /// A view for to_floats(), valid while this array lives.
  ArrayView view() const { return {"array", type, shape, data}; }
};

/// Reads a file of format version 1.0, 2.0 or 3.0, in either byte order, in C or Fortran order.
/// Fortran order, as numpy.save writes a transposed array, takes twice the memory.
///
/// Floats of 16 bits, integers of 8 and 16 bits and booleans (0 and 1) become f32. Integers of 32
/// and 64 bits become f64. Integers beyond 2^53 are rounded; all other conversions are exact.
///
/// Throws FileError if the file can't be read; FormatError for another type or version, or damage.
/// Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
UNROLL_API NpyArray read_npy(const std::string& path);

/// Writes `values` as a file that numpy.load reads. `values` is row-major and has as many numbers
/// as the product of `shape`. The write is atomic: the path holds the old file or the new one.
///
/// Throws ShapeError if the sizes do not fit, FileError if the file can't be written.
UNROLL_API void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
                          std::span<const float> values);
UNROLL_API void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
                          std::span<const double> values);

}  // namespace unroll::io
