// Finds where a run's safetensors file differs from the one that training makes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "unroll/io/safetensors.h"

namespace unroll::run {

/// Names the first difference between the file (`there`) and the one trained again: first in the
/// tensors, then in the metadata. Empty if the bytes are the same. A description in an older
/// version of its format is no difference if it says the same. Throws FormatError if `there` is no
/// safetensors file.
std::string first_difference(std::vector<std::byte> there, std::vector<std::byte> again);

}  // namespace unroll::run
