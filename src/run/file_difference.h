// Where a safetensors file of a run is not the one that training gives.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "unroll/io/safetensors.h"

namespace unroll::run {

/// The first difference between the tensors, and then the metadata, of the file and of what
/// training again gave, in words. Empty where the two are the same bytes, but for a description in
/// an older version of its format that says the same. Throws FormatError where `there` is no
/// safetensors file.
std::string first_difference(std::vector<std::byte> there, std::vector<std::byte> again);

}  // namespace unroll::run
