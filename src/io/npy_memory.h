// NumPy arrays inside another file.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "unroll/io/npy.h"

namespace unroll::io {

/// Reads the bytes of an .npy file, as read_npy() does. `name` is for errors.
NpyArray npy_of(std::span<const std::byte> bytes, const std::string& name);

}  // namespace unroll::io
