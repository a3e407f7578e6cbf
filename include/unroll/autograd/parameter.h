// The numbers that training changes.
#pragma once

#include <string>
#include <vector>

#include "unroll/tensor/tensor.h"

namespace unroll {

/// A named tensor of a model, a leaf that requires a gradient.
struct Parameter {
  std::string name;  ///< as PyTorch's state_dict names it: "rnn.weight_ih_l0"
  Tensor value;
  /// For a matrix inside a recurrent layer, how many gates' blocks are stacked in its rows (1 for a
  /// plain RNN); 0 for everything else. Muon treats each block as one matrix.
  int gates = 0;
};

using Parameters = std::vector<Parameter>;

}  // namespace unroll
