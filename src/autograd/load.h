// Copying values into named tensors.
#pragma once

#include <string_view>

#include "unroll/autograd/parameter.h"

namespace unroll {

/// Copies `values` to the tensors of the same names in `own`; converts types. Throws FormatError,
/// listing every name that is missing, left over, repeated or of another shape, and then changes
/// nothing. For the error, `owner` is the word for the owner of `own`, and `file` the file of the
/// values, if any.
void load_by_name(const Parameters& own, const Parameters& values, std::string_view owner,
                  std::string_view file = {});

}  // namespace unroll
