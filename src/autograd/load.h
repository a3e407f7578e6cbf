// Copying values into named tensors.
#pragma once

#include <string_view>

#include "unroll/autograd/parameter.h"

namespace unroll {

/// Copies `values` into `own`, by name; types are converted. Throws FormatError listing every name
/// that is missing, left over, there twice or of another shape; nothing is changed then. `owner` is
/// the error's word for what `own` belongs to, `file` where the values are from, if from one.
void load_by_name(const Parameters& own, const Parameters& values, std::string_view owner,
                  std::string_view file = {});

}  // namespace unroll
