// NumPy's .npy files of floats, for handing results to other tools.
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

/// Reads a file of format version 1.0 holding little-endian floats, in C or in Fortran order (as
/// numpy.save writes a transposed array), which takes twice the memory.
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
