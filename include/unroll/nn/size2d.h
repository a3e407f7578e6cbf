// A height and a width, by the name that the layers had for them first.
#pragma once

#include "unroll/core/size2d.h"

namespace unroll::nn {

using unroll::Size2d;

}  // namespace unroll::nn
