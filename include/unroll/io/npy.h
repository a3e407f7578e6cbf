// NumPy's .npy files of numbers, for handing arrays to and from other tools.
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

  /// For to_floats(); valid while this array lives.
  ArrayView view() const { return {"array", type, shape, data}; }
};

/// Reads a file of format version 1.0, 2.0 or 3.0, of either order of bytes, in C or in Fortran
/// order (as numpy.save writes a transposed array), which takes twice the memory. Floats of 16
/// bits, integers of 8 and 16 bits and booleans (0 and 1) become f32, integers of 32 and 64 bits
/// f64: exactly, but for integers beyond 2^53, which are rounded.
///
/// Throws FileError (can't be read) or FormatError (another type or version, or damaged).
/// Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
UNROLL_API NpyArray read_npy(const std::string& path);

/// Writes `values` (row-major, as many as the product of `shape`) so that numpy.load reads them,
/// atomically (the old file or the new one).
///
/// Throws ShapeError when the sizes do not fit, FileError when the file can't be written.
UNROLL_API void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
                          std::span<const float> values);
UNROLL_API void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
                          std::span<const double> values);

}  // namespace unroll::io
