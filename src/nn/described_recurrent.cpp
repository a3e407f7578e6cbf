#include "nn/described_recurrent.h"

namespace unroll::nn {

Recurrent::Kind DescribedRecurrent::kind_of(const spec::RecurrentSpec& spec,
                                            const TrainingOptions& options) {
  return {.input = spec.input_size,
          .hidden = spec.hidden_size,
          .cell = spec.cell,
          .nonlinearity = spec.nonlinearity,
          .projection = spec.proj_size,
          .forget_bias = options.forget_bias};
}

RecurrentOptions DescribedRecurrent::options_of(const spec::RecurrentSpec& spec,
                                                const TrainingOptions& options) {
  RecurrentOptions all{.num_layers = spec.num_layers,
                       .bias = spec.bias,
                       .batch_first = true,
                       .dropout = options.dropout,
                       .bidirectional = spec.bidirectional,
                       .regularisation = options.regularisation,
                       .learn_initial_state = spec.learn_initial_state,
                       .dtype = options.dtype,
                       .precision = options.precision,
                       .generator = options.generator};
  all.regularisation.layer_norm = spec.layer_norm;
  all.regularisation.zoneout = {spec.zoneout_h, spec.zoneout_c};
  return all;
}

}  // namespace unroll::nn
