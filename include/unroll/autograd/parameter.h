// The tensors that training changes.
#pragma once

#include <string>
#include <vector>

#include "unroll/tensor/tensor.h"

namespace unroll {

/// A named tensor of a model, a leaf that requires a gradient.
struct Parameter {
  std::string name;  ///< as PyTorch's state_dict names it: "rnn.weight_ih_l0"
  Tensor value;
  /// Number of gates whose blocks are stacked in the rows of a recurrent layer's matrix (1 for a
  /// plain RNN). 0 for every other parameter. Muon treats each block as one matrix.
  int gates = 0;
};

using Parameters = std::vector<Parameter>;

}  // namespace unroll
