// The parameters that training changes (Config::freeze).
#pragma once

#include <string>
#include <vector>

#include "unroll/autograd/parameter.h"

namespace unroll::train {

/// The parameters whose names start with none of `frozen`. Throws ValueError for a start that no
/// name has, and if no parameter is left.
Parameters trained_parameters(const Parameters& all, const std::vector<std::string>& frozen);

}  // namespace unroll::train
