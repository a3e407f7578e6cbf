// nn::Size2d, the older name of unroll::Size2d.
#pragma once

#include "unroll/core/size2d.h"

namespace unroll::nn {

using unroll::Size2d;

}  // namespace unroll::nn
