// Descriptions of small models.
#pragma once

#include "unroll/spec/model_spec.h"

namespace unroll::test {

/// A recurrent model over rows of r.input_size, with a linear readout called "fc".
inline spec::ModelSpec recurrent_spec(const spec::RecurrentSpec& r, std::int64_t outputs) {
  spec::ModelSpec spec;
  spec.input = spec::ImageInput{.width = r.input_size};
  spec.layers = {r, spec::LinearSpec{"fc", r.features(), outputs}};
  return spec;
}

/// The tutorial's kind of model.
inline spec::ModelSpec rnn_spec(std::int64_t inputs, std::int64_t hidden, std::int64_t outputs,
                                std::int64_t layers = 1,
                                Nonlinearity nonlinearity = Nonlinearity::relu, bool bias = true) {
  return recurrent_spec({.nonlinearity = nonlinearity,
                         .input_size = inputs,
                         .hidden_size = hidden,
                         .num_layers = layers,
                         .bias = bias},
                        outputs);
}

}  // namespace unroll::test
