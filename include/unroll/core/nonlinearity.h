// The element-wise functions of a plain recurrent layer.
#pragma once

namespace unroll {

enum class Nonlinearity {
  tanh,
  relu,  ///< max(x, 0)
};

}  // namespace unroll
