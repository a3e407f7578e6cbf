// The part of a .npy file before its data, for writers that embed one in another file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unroll/io/safetensors.h"

namespace unroll::io {

/// Magic, version and header for an array of f32 or f64 in C order. The size is a multiple of 64
/// bytes, as in numpy.save. `name` is for the error. Throws ShapeError for too many dimensions.
std::string npy_start(const std::string& name, const std::vector<std::int64_t>& shape,
                      ElementType type);

}  // namespace unroll::io
