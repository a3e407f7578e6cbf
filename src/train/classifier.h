// The tutorial's model: a recurrent layer and a linear readout of its last step.
#pragma once

#include "unroll/nn/linear.h"
#include "unroll/nn/rnn.h"
#include "unroll/spec/model_spec.h"

namespace unroll::train {

struct Classifier : nn::Module {
  nn::Rnn rnn;
  nn::Linear fc;

  Classifier(const spec::ModelSpec& spec, DType dtype, Generator& generator,
             Precision precision = Precision::full)
      : rnn(child(spec.recurrent), spec.input_size, spec.hidden_size,
            {.num_layers = spec.num_layers,
             .nonlinearity = spec.nonlinearity,
             .bias = spec.bias,
             .batch_first = true,
             .dtype = dtype,
             .precision = precision,
             .generator = &generator}),
        fc(child(spec.readout), spec.hidden_size, spec.outputs,
           {.dtype = dtype, .generator = &generator}) {}

  /// (N, T, I) to logits (N, C)
  Tensor operator()(const Tensor& x) const { return fc(rnn(x).output.select(1, -1)); }
};

}  // namespace unroll::train
