// The RecurrentOptions in RnnOptions and LstmOptions.
#pragma once

#include "unroll/nn/recurrent.h"

namespace unroll::nn {

template <class Options>
RecurrentOptions common_options(const Options& options) {
  return {.num_layers = options.num_layers,
          .bias = options.bias,
          .batch_first = options.batch_first,
          .dropout = options.dropout,
          .bidirectional = options.bidirectional,
          .regularisation = options.regularisation,
          .learn_initial_state = options.learn_initial_state,
          .dtype = options.dtype,
          .precision = options.precision,
          .generator = options.generator};
}

}  // namespace unroll::nn
