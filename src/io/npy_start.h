// What an .npy file says before its data, for those who put one into something larger.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unroll/io/safetensors.h"

namespace unroll::io {

/// Magic, version and header of an array of f32 or f64 in C order; a multiple of 64 bytes, as
/// numpy.save makes it. `name` is for the error. Throws ShapeError for too many dimensions.
std::string npy_start(const std::string& name, const std::vector<std::int64_t>& shape,
                      ElementType type);

}  // namespace unroll::io
