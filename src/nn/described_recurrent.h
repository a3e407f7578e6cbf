// The recurrent layer of a description, for any cell.
#pragma once

#include "unroll/nn/recurrent.h"

namespace unroll::nn {

/// Options for training a layer. A description does not contain them.
struct TrainingOptions {
  double dropout = 0;  // between the layers
  // without zoneout and layer_norm, which the description has
  RecurrentRegularisation regularisation = {};
  double forget_bias = 0;  // for a cell with a forget gate
  DType dtype = DType::f32;
  Precision precision = Precision::full;
  Generator* generator = nullptr;
};

/// A layer with any cell in the table of spec/cells.h. It reads (N, T, I), as with batch_first.
class DescribedRecurrent : public Recurrent {
 public:
  DescribedRecurrent(const Child& place, const spec::RecurrentSpec& spec,
                     const TrainingOptions& options)
      : Recurrent(place, kind_of(spec, options), options_of(spec, options)) {}

  using Result = Recurrent::Result;
  Result operator()(const Tensor& input, const State& initial = {},
                    const RecurrentCall& call = {}) const {
    return run(input, initial.h, initial.c, call);
  }

 private:
  static Kind kind_of(const spec::RecurrentSpec& spec, const TrainingOptions& options);
  static RecurrentOptions options_of(const spec::RecurrentSpec& spec,
                                     const TrainingOptions& options);
};

}  // namespace unroll::nn
